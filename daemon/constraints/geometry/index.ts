/**
 * How modifiers lay pixels out: which planes an image has, at which offset and pitch each lies, and how large the buffer
 * is. Each family of modifiers is a file, and each says whose rule it is. A modifier is here only if all of its layouts
 * were the same as those of the driver itself; the tests name the driver's version.
 */
import type { PixelFormat } from '../constraint-types.js';
import { afbc } from './afbc.js';
import { amd } from './amd.js';
import { arm } from './arm.js';
import { intel } from './intel.js';
import { intelCcs } from './intel-ccs.js';
import { qualcomm } from './qualcomm.js';
import type { Family, Tiling } from './tiling.js';
import { vivante } from './vivante.js';

/** By the vendor's number of a modifier (its highest byte, `drm_fourcc.h`). */
const FAMILIES: Readonly<Record<string, readonly Family[]>> = {
  1: [intel, intelCcs],
  2: [amd],
  5: [qualcomm],
  6: [vivante],
  8: [arm, afbc],
};

/** How a modifier other than linear lays out a format; undefined when that is not known. */
export function tilingOf(format: PixelFormat, modifier: bigint): Tiling | undefined {
  for (const family of FAMILIES[String(modifier >> 56n)] ?? []) {
    const tiling = family(format, modifier);
    if (tiling !== undefined) return tiling;
  }
  return undefined;
}
