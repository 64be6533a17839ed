import { parseInFormats } from '../../kernel/in-formats.js';
import type { Mode } from '../inventory.js';
import { atLine, linesOf, plainName, requireFewer, type DumpLine } from './dump-lines.js';
import { DUMP_LIMITS, type CardDump, type DumpText, type PlaneDump } from './dump-types.js';

/** Shapes of the lines that modetest prints (tests/modetest/modetest.c of libdrm, 2012 to now), tabs perhaps made spaces. */
const SHAPES = {
  driver: /^trying to open device '([^']+)'\.\.\.\s*done/,
  heading: /^(Encoders|Connectors|CRTCs|Planes|Frame buffers):\s*$/,
  encoder: /^(\d+)\s+(\d+)\s+\S+\s+0x[0-9a-f]+\s+0x[0-9a-f]+/,
  connector: /^(\d+)\s+(\d+)\s+(connected|disconnected|unknown)\s+(\S.*?)\s+\d+x\d+\s+\d+\s/,
  mode: /^\s+(?:#\d+ )?(\S+) (\d+(?:\.\d+)?) (\d+) \d+ \d+ \d+ (\d+) \d+ \d+ \d+(?:\s|$)(.*)$/,
  crtc: /^(\d+)\s+\d+\s+\(/,
  plane: /^(\d+)\s+\d+\s+\d+\s+-?\d+,-?\d+\s+-?\d+,-?\d+\s+\d+(?:\s+(0x[0-9a-f]{1,8}))?/,
  formats: /^\s+formats:(.*)$/,
  property: /^\s+\d+ (\S.*):\s*$/,
  value: /^\s+value:\s*(\S*)\s*$/,
  hex: /^\s+((?:[0-9a-f]{2}){1,64})\s*$/,
} as const;

/** What `modetest` prints of its card begins with one of these. */
export const isModetest = (text: string): boolean => /^(Connectors|Planes|CRTCs):\s*$/m.test(text);

interface DraftPlane {
  readonly line: number;
  readonly possibleCrtcs: number;
  formats: readonly string[];
  /** Hexadecimal text of the blob. */
  blob: string;
}

interface DraftConnector {
  readonly name: string;
  readonly connected: boolean;
  readonly encoder: string;
  readonly modes: Omit<Mode, 'connector' | 'current'>[];
}

/** Reads what `modetest` prints of one card. @throws {DumpError} */
export function readModetest(dump: DumpText): CardDump {
  const reader = new ModetestReader(dump);
  for (const line of linesOf(dump)) reader.read(line);
  return reader.card();
}

class ModetestReader {
  readonly #dump: DumpText;
  #section = '';
  #driver: string | undefined;
  readonly #crtcOf = new Map<string, string>();
  readonly #connectors: DraftConnector[] = [];
  /** By CRTC, `WIDTHxHEIGHT@REFRESH` that it shows. */
  readonly #crtcs = new Map<string, string>();
  #crtc = '';
  readonly #planes: DraftPlane[] = [];
  #property = '';
  #inValue = false;

  constructor(dump: DumpText) {
    this.#dump = dump;
  }

  read(line: DumpLine): void {
    const { text } = line;
    this.#driver ??= SHAPES.driver.exec(text)?.[1];
    const heading = SHAPES.heading.exec(text)?.[1];
    if (heading !== undefined) this.#section = heading;
    else if (this.#section === 'Encoders') this.#readEncoder(text);
    else if (this.#section === 'Connectors') this.#readConnector(line);
    else if (this.#section === 'CRTCs') this.#readCrtc(line);
    else if (this.#section === 'Planes') this.#readPlane(line);
  }

  card(): CardDump {
    return {
      ...(this.#driver !== undefined && { driver: plainName(this.#driver) }),
      crtcs: Math.min(32, this.#crtcs.size),
      planes: this.#planes.map((plane) => this.#planeOf(plane)),
      modes: this.#connectors.flatMap((connector) => this.#modesOf(connector)),
    };
  }

  #readEncoder(text: string): void {
    const [, id, crtc] = SHAPES.encoder.exec(text) ?? [];
    if (id !== undefined && crtc !== undefined) this.#crtcOf.set(id, crtc);
  }

  #readConnector({ text, number }: DumpLine): void {
    const [whole, , encoder = '', status, name = ''] = SHAPES.connector.exec(text) ?? [];
    if (whole !== undefined) {
      requireFewer(this.#dump, number, this.#connectors.length, DUMP_LIMITS.parts, 'connectors');
      this.#connectors.push({ name: plainName(name), connected: status === 'connected', encoder, modes: [] });
      return;
    }
    const mode = modeOf(text);
    const modes = this.#connectors.at(-1)?.modes;
    if (mode === undefined || modes === undefined) return;
    requireFewer(this.#dump, number, modes.length, DUMP_LIMITS.entries, 'modes of one connector');
    modes.push(mode);
  }

  #readCrtc({ text, number }: DumpLine): void {
    const id = SHAPES.crtc.exec(text)?.[1];
    if (id !== undefined) {
      requireFewer(this.#dump, number, this.#crtcs.size, DUMP_LIMITS.parts, 'CRTCs');
      this.#crtc = id;
      this.#crtcs.set(id, '');
      return;
    }
    const mode = modeOf(text);
    if (mode !== undefined && this.#crtc !== '') this.#crtcs.set(this.#crtc, keyOf(mode));
  }

  #readPlane({ text, number }: DumpLine): void {
    const [whole, , crtcs] = SHAPES.plane.exec(text) ?? [];
    if (whole !== undefined) {
      requireFewer(this.#dump, number, this.#planes.length, DUMP_LIMITS.parts, 'planes');
      // Early versions do not say which CRTCs a plane is for; then it may be any.
      this.#planes.push({ line: number, possibleCrtcs: Number(crtcs ?? 0xffff_ffff), formats: [], blob: '' });
      this.#property = '';
      return;
    }
    const plane = this.#planes.at(-1);
    if (plane === undefined) return;
    const formats = SHAPES.formats.exec(text)?.[1];
    if (formats !== undefined) plane.formats = formatsOf(formats);
    else this.#readProperty(plane, text);
  }

  /** The blob of IN_FORMATS stands in hexadecimal below `value:`. */
  #readProperty(plane: DraftPlane, text: string): void {
    const property = SHAPES.property.exec(text)?.[1];
    if (property !== undefined) {
      this.#property = property;
      this.#inValue = false;
    } else if (SHAPES.value.test(text)) this.#inValue = true;
    else if (this.#property === 'IN_FORMATS' && this.#inValue) {
      const bytes = SHAPES.hex.exec(text)?.[1];
      if (bytes === undefined) this.#inValue = false;
      else plane.blob += bytes;
    }
  }

  #planeOf({ line, possibleCrtcs, formats, blob }: DraftPlane): PlaneDump {
    if (blob === '') return { possibleCrtcs, formats };
    const read = parseInFormats(Buffer.from(blob, 'hex'));
    if ('malformed' in read)
      throw atLine(this.#dump, line, `the plane's IN_FORMATS cannot be read (${read.malformed})`);
    return { possibleCrtcs, formats, inFormats: read.pairs };
  }

  #modesOf({ name, connected, encoder, modes }: DraftConnector): readonly Mode[] {
    if (!connected) return [];
    const shown = this.#crtcs.get(this.#crtcOf.get(encoder) ?? '');
    const distinct = [...new Map(modes.map((mode) => [keyOf(mode), mode])).values()];
    return distinct.map((mode) => ({ connector: name, ...mode, current: keyOf(mode) === shown }));
  }
}

type ModeDraft = DraftConnector['modes'][number];

const keyOf = ({ width, height, refresh }: ModeDraft): string => `${width}x${height}@${refresh}`;

function modeOf(text: string): ModeDraft | undefined {
  const [whole, , refresh, width, height, rest = ''] = SHAPES.mode.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const [w, h] = [Number(width), Number(height)];
  if (w === 0 || h === 0 || w > 0xffff || h > 0xffff) return undefined;
  return { width: w, height: h, refresh: Math.round(Number(refresh)), preferred: rest.includes('preferred') };
}

/** Each code has four characters, a space before it, and perhaps spaces of its own at the end. */
const formatsOf = (text: string): readonly string[] =>
  [...text.matchAll(/ ([!-~][ -~]{3}|[!-~]{1,3}(?=\s*$))/g)].map(([, code = '']) => code.padEnd(4));
