import type { DrmCalls } from '../kernel/drm.js';
import { LINEAR, MODIFIER_INVALID } from '../constraints/constraint-types.js';
import type { FormatFact } from './inventory.js';

const IN_FORMATS = 'kernel:IN_FORMATS';
/** The modifiers of a plane that publishes none: then the driver takes linear framebuffers. */
const PLANE_FORMATS = 'kernel:MODE_GETPLANE';

/**
 * What the planes take for scanout, all planes together that a CRTC can use: the primary plane alone misleads.
 * @param node open primary node that shows all its planes
 * @param crtcs how many CRTCs it has
 * @throws {KernelError}
 */
export function readScanoutFormats(
  drm: Pick<DrmCalls, 'planes' | 'plane' | 'inFormats'>,
  node: number,
  crtcs: number,
): readonly FormatFact[] {
  const taken = new Map<string, { modifiers: Set<bigint>; source: string }>();
  for (const id of drm.planes(node)) {
    const plane = drm.plane(node, id);
    if (!isUsable(plane.possibleCrtcs, crtcs)) continue;
    const published = drm.inFormats(node, id);
    const pairs = published ?? plane.formats.map((format) => ({ format, modifier: LINEAR }));
    for (const { format, modifier } of pairs) {
      if (modifier === MODIFIER_INVALID || !isFourcc(format)) continue;
      const entry = taken.get(format) ?? { modifiers: new Set(), source: PLANE_FORMATS };
      entry.modifiers.add(modifier);
      if (published !== undefined) entry.source = IN_FORMATS;
      taken.set(format, entry);
    }
  }
  return [...taken].map(([format, { modifiers, source }]) => ({
    format,
    modifiers: [...modifiers],
    uses: ['scanout'],
    source,
  }));
}

/** Bit i stands for the i-th CRTC; there are never more than 32. */
const isUsable = (possible: number, crtcs: number): boolean => (possible & (2 ** crtcs - 1)) !== 0;

/** Big-endian formats have no printable code. */
export const isFourcc = (code: string): boolean => /^[ -~]{4}$/.test(code);
