import { MODIFIER_INVALID } from '../constraints/constraint-types.js';
import type { DrmCalls } from '../kernel/drm.js';
import { KernelError } from '../kernel/errors.js';
import type { LimitFact } from './inventory.js';
import { ASKED_SIZES, roundUp, stepBetween } from './rounding.js';

/**
 * Source of a pitch step that only dumb buffers show. It is the driver's habit, and no more than that: many a driver pads
 * its own buffers for a GPU, or for speed, and shows others as well.
 */
export const DUMB_PITCH = 'kernel:CREATE_DUMB';

/** Bits of a pixel that every driver takes. */
const BITS_PER_PIXEL = 32;
const FORMAT = 'XR24';
/** Pixels of a trial framebuffer: more than the least that any display asks for. */
const ROWS = 64;
const MIN_WIDTH = 256;

/**
 * The step that a driver gives pitches of its own buffers, which are for its display: a habit, beside the step that it
 * needs as far as it refuses framebuffers of smaller ones. Nothing where it has no step, or one that nothing explains. All
 * buffers are gone at once.
 * @param node open primary node of a driver with dumb buffers
 */
export async function readPitchStep(drm: DrmCalls, node: number): Promise<readonly LimitFact[]> {
  const own = await ownStep(drm, node);
  if (own === undefined || own === 1) return [];
  const needed = await neededStep(drm, node, own);
  return [
    ...(needed !== undefined && needed > rowBytes(1) ? [limit(needed, 'trial:ADDFB2:EINVAL')] : []),
    ...(needed === own ? [] : [limit(own, DUMB_PITCH)]),
  ];
}

const limit = (value: number, source: string): LimitFact => ({
  limit: 'pitch-multiple',
  value,
  source,
  uses: ['scanout'],
});

const rowBytes = (width: number): number => (width * BITS_PER_PIXEL) / 8;

/** The step of the driver's own pitches, shown by buffers of one row. */
async function ownStep(drm: DrmCalls, node: number): Promise<number | undefined> {
  const widths = ASKED_SIZES.map(({ width, more }) => width + more);
  const pitches: number[] = [];
  try {
    for (const width of widths) {
      const { handle, pitch } = await drm.createDumb(node, width, 1, BITS_PER_PIXEL);
      await drm.destroyDumb(node, handle);
      pitches.push(pitch);
    }
  } catch (error) {
    if (error instanceof KernelError) return undefined;
    throw error;
  }
  return stepBetween(widths.map(rowBytes), pitches);
}

/** The smallest step that the driver makes a framebuffer of; undefined when it makes none of its own either. */
async function neededStep(drm: DrmCalls, node: number, own: number): Promise<number | undefined> {
  // One pixel more than a multiple of all steps, so that each of them rounds a row differently.
  const width = (own * Math.ceil(MIN_WIDTH / own)) / 2 + 1;
  try {
    const { handle } = await drm.createDumb(node, width, ROWS, BITS_PER_PIXEL);
    try {
      for (let step = rowBytes(1); step <= own; step *= 2)
        if (await isShown(drm, node, handle, { width, pitch: roundUp(rowBytes(width), step) })) return step;
    } finally {
      await drm.destroyDumb(node, handle);
    }
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
  return undefined;
}

async function isShown(
  drm: DrmCalls,
  node: number,
  handle: number,
  { width, pitch }: { readonly width: number; readonly pitch: number },
): Promise<boolean> {
  try {
    const framebuffer = await drm.addFramebuffer(node, {
      width,
      height: ROWS,
      format: FORMAT,
      modifier: MODIFIER_INVALID,
      planes: [{ handle, pitch, offset: 0 }],
    });
    await drm.removeFramebuffer(node, framebuffer);
    return true;
  } catch (error) {
    if (error instanceof KernelError && error.code === 'EINVAL') return false;
    throw error;
  }
}
