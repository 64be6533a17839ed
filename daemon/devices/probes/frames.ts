import { pixelFormat } from '../../constraints/formats.js';
import { merge } from '../../constraints/kinds/index.js';
import { layoutImage } from '../../constraints/layout.js';
import { noLimits } from '../../constraints/limits.js';
import { LINEAR, type PlaneLayout } from '../../constraints/constraint-types.js';
import type { DeviceRules } from '../../policy/policy.js';
import { deviceConstraints } from '../device-constraints.js';
import type { Device, FormatFact } from '../inventory.js';

/** A picture that a display is asked to take, laid out as a client would get it. */
export interface Frame {
  /** Fourcc with its trailing spaces. */
  readonly format: string;
  /** Whether the driver publishes modifiers for the format, and so is told the linear one. */
  readonly explicit: boolean;
  readonly width: number;
  readonly height: number;
  readonly planes: readonly PlaneLayout[];
  /** Bytes. */
  readonly size: bigint;
}

/** Pixels, the largest first: the first fills a probe buffer, the last is a cursor's. */
const FRAME_SIZES = [
  { width: 1024, height: 1024 },
  { width: 640, height: 480 },
  { width: 64, height: 64 },
];
/** What nearly every display takes, best first. */
const USUAL: readonly string[] = ['XR24', 'AR24', 'RG16', 'NV12', 'YUYV'];
/** Formats that are tried, one after the other. */
const MAX_FORMATS = 3;

/** What to try on a display, best first; nothing where it takes no linear format that has a known layout. */
export function framesFor(device: Device, rules: DeviceRules): readonly Frame[] {
  const linear = device.formats.filter(
    ({ uses, modifiers }) => uses.includes('scanout') && modifiers.includes(LINEAR),
  );
  const rank = ({ format }: FormatFact): number =>
    USUAL.includes(format) ? USUAL.indexOf(format) : USUAL.length;
  return linear
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, MAX_FORMATS)
    .flatMap((fact) => framesOf(device, rules, fact));
}

function framesOf(device: Device, rules: DeviceRules, { format, source }: FormatFact): readonly Frame[] {
  const shape = pixelFormat(format);
  if (shape === undefined) return [];
  return FRAME_SIZES.flatMap(({ width, height }) => {
    const limits = noLimits();
    for (const constraint of deviceConstraints(device, ['scanout'], rules, 0, { format, width, height }))
      merge(limits, constraint);
    const geometry = layoutImage({ format: shape, width, height }, limits);
    const explicit = source === 'kernel:IN_FORMATS';
    return 'failed' in geometry ? [] : [{ format, explicit, width, height, ...geometry }];
  });
}
