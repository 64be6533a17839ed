import type { DrmCalls } from '../kernel/drm.js';
import { KernelError } from '../kernel/errors.js';
import type { LimitFact } from './inventory.js';
import { stepBetween, WISHES } from './rounding.js';

/** Bits of a pixel that every driver takes. */
const BITS = 32;

/**
 * The step that a driver gives pitches of its own buffers, which are for its display; no limit where it has none, or
 * one that nothing explains. The buffers have one row and are gone at once.
 * @param node open primary node of a driver with dumb buffers
 */
export async function readPitchStep(drm: DrmCalls, node: number): Promise<readonly LimitFact[]> {
  const widths = WISHES.map(({ width, more }) => width + more);
  const pitches: number[] = [];
  try {
    for (const width of widths) {
      const { handle, pitch } = await drm.createDumb(node, width, 1, BITS);
      await drm.destroyDumb(node, handle);
      pitches.push(pitch);
    }
  } catch (error) {
    if (error instanceof KernelError) return [];
    throw error;
  }
  const step = stepBetween(
    widths.map((width) => (width * BITS) / 8),
    pitches,
  );
  return step === undefined || step === 1
    ? []
    : [{ limit: 'pitch-multiple', value: step, source: 'kernel:CREATE_DUMB', uses: ['scanout'] }];
}
