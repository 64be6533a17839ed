import { readFileSync } from 'node:fs';

/** One image as a driver of Mesa laid it out. */
export interface MesaLayout {
  readonly modifier: bigint;
  /** Fourcc with its trailing spaces. */
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly planes: readonly { readonly offset: bigint; readonly pitch: number }[];
  readonly size: bigint;
}

/** By section of `test/fixtures/mesa-layouts.txt`, which says where they come from. */
export function mesaLayouts(): ReadonlyMap<string, readonly MesaLayout[]> {
  const sections = new Map<string, MesaLayout[]>();
  let section: MesaLayout[] = [];
  let images: readonly Pick<MesaLayout, 'modifier' | 'format'>[] = [];
  // Images in several lines share the layouts below them.
  let hasLayouts = false;
  for (const line of lines()) {
    if (line.startsWith('[')) sections.set(line.slice(1, -1), (section = []));
    else if (!line.startsWith(' ')) {
      images = hasLayouts ? imagesOf(line) : [...images, ...imagesOf(line)];
      hasLayouts = false;
    } else {
      hasLayouts = true;
      const [width = '', height = '', ...rest] = line.trim().split(' ');
      const planes = rest.slice(0, -1).map((plane) => {
        const [offset = '', pitch = ''] = plane.split('/');
        return { offset: BigInt(offset), pitch: Number(pitch) };
      });
      const layout = {
        width: Number(width),
        height: Number(height),
        planes,
        size: BigInt(rest.at(-1) ?? ''),
      };
      section.push(...images.map((image) => ({ ...image, ...layout })));
    }
  }
  sections.delete(LEFT_OUT);
  return sections;
}

const LEFT_OUT = 'left out';

/** Modifiers that drivers made layouts of which the daemon does not know, with the formats. */
export function leftOut(): readonly Pick<MesaLayout, 'modifier' | 'format'>[] {
  const all = lines();
  return all.slice(all.indexOf(`[${LEFT_OUT}]`) + 1).flatMap(imagesOf);
}

const lines = (): readonly string[] =>
  readFileSync(new URL('../../../fixtures/mesa-layouts.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

function imagesOf(line: string): readonly Pick<MesaLayout, 'modifier' | 'format'>[] {
  const [modifiers = '', formats = ''] = line.split(' ');
  return modifiers
    .split(',')
    .flatMap((modifier) =>
      formats.split(',').map((format) => ({ modifier: BigInt(modifier), format: format.padEnd(4) })),
    );
}
