import { pixelFormat } from '../constraints/formats.js';
import { LINEAR } from '../constraints/constraint-types.js';
import { KernelError } from '../kernel/errors.js';
import type { V4l2Calls, V4l2Queue } from '../kernel/v4l2.js';
import { isFourcc } from './drm-formats.js';
import type { FormatFact, LimitFact, OtherFormatFact } from './inventory.js';
import { findV4l2Format, type V4l2Format } from './v4l2-formats.js';
import type { FormatProbe } from './v4l2-limits.js';
import { tryFormat, withEveryCodec, type TriedFormat } from './v4l2-format-probe.js';
import { ASKED_SIZES } from './rounding.js';
import type { ImageQueue } from './v4l2-uses.js';

const SOURCE = 'kernel:ENUM_FMT';

/** What a queue takes, in DRM's terms, and what has no such term. */
export function queueFormats({ use, formats }: ImageQueue): {
  readonly formats: readonly FormatFact[];
  readonly otherFormats: readonly OtherFormatFact[];
} {
  const taken = new Map<string, bigint[]>();
  const otherFormats: OtherFormatFact[] = [];
  for (const { fourcc, description } of formats) {
    const shared = findV4l2Format(fourcc);
    if (shared === undefined)
      otherFormats.push({ name: isFourcc(fourcc) ? fourcc : description, uses: [use], source: SOURCE });
    else taken.set(shared.drm, [...new Set([...(taken.get(shared.drm) ?? []), shared.modifier])]);
  }
  return {
    formats: [...taken].map(([format, modifiers]) => ({ format, modifiers, uses: [use], source: SOURCE })),
    otherFormats,
  };
}

/**
 * How the queue wants the planes of its formats. In one buffer they follow one another at once: V4L2 says where the first
 * begins, and nothing of the others. Of a format with a buffer a plane (`NM12`) each needs a descriptor of its own, but of
 * images that go in: there the program says where each plane starts, and may name one buffer for all.
 */
export function planePlaces({ use, formats }: ImageQueue): readonly LimitFact[] {
  const linear = formats
    .flatMap(({ fourcc }) => findV4l2Format(fourcc) ?? [])
    .filter(({ drm, modifier }) => modifier === LINEAR && (pixelFormat(drm)?.planes.length ?? 1) > 1);
  const named = (isWanted: (format: V4l2Format) => boolean): ReadonlySet<string> =>
    new Set(linear.filter(isWanted).map(({ drm }) => drm));
  const [together, apart] = [named(({ buffers }) => buffers === 1), named(({ buffers }) => buffers > 1)];
  const goesIn = use === 'output' || use === 'encode';
  const only = [...together].filter((format) => !apart.has(format));
  const either = goesIn ? [] : [...together].filter((format) => apart.has(format));
  const ownOnly = goesIn ? [] : [...apart].filter((format) => !together.has(format));
  const common = { value: true, source: SOURCE, uses: [use] } as const;
  return [
    ...(only.length > 0 ? [{ ...common, limit: 'planes-contiguous', formats: only } as const] : []),
    ...(either.length > 0
      ? [{ ...common, limit: 'planes-contiguous', formats: either, orApart: true } as const]
      : []),
    ...(ownOnly.length > 0 ? [{ ...common, limit: 'planes-apart', formats: ownOnly } as const] : []),
  ];
}

/** Tries every linear format of the queue: once, or of a decoder once with each codec, because limits follow the codec. */
export async function tryQueue(
  v4l2: V4l2Calls,
  node: number,
  { use, queue, formats, streams }: ImageQueue,
): Promise<readonly FormatProbe[]> {
  const probes = new Map<string, FormatProbe>();
  for (const { fourcc } of formats) {
    const shared = findV4l2Format(fourcc);
    const format = shared?.modifier === LINEAR ? pixelFormat(shared.drm) : undefined;
    if (format === undefined || probes.has(format.fourcc)) continue;
    const tried: TriedFormat[] = [await tryFormat(v4l2, node, queue, fourcc, format)];
    for (const codec of streams?.formats.slice(0, MAX_CODECS) ?? []) {
      if (await isSet(v4l2, node, streams?.queue ?? queue, codec.fourcc))
        tried.push(await tryFormat(v4l2, node, queue, fourcc, format));
    }
    const { pitch, padding, max } = withEveryCodec(tried);
    probes.set(format.fourcc, {
      use,
      format: format.fourcc,
      ...(pitch && { pitch }),
      ...(padding && { padding }),
      // What a decoder makes is as large as its stream says, which says nothing of the next.
      ...(max && use !== 'decode' && { max }),
    });
  }
  return [...probes.values()];
}

/** More than any decoder has. */
const MAX_CODECS = 16;

/** Sets the queue of bitstreams to a codec, which is this open node's own affair and over when it is closed. */
async function isSet(v4l2: V4l2Calls, node: number, queue: V4l2Queue, fourcc: string): Promise<boolean> {
  try {
    const { width, height } = ASKED_SIZES[0] ?? { width: 640, height: 384 };
    return (await v4l2.setFormat(node, queue, { fourcc, width, height })).fourcc === fourcc;
  } catch (error) {
    if (error instanceof KernelError) return false;
    throw error;
  }
}
