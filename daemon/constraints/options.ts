import { tilingOf } from './geometry/index.js';
import type { Tiling } from './geometry/tiling.js';
import { layoutBytes, layoutImage, type Geometry } from './layout.js';
import type { Limits } from './limits.js';
import { layoutTiled } from './tiled.js';
import { LINEAR, type Memory, type Problem } from './constraint-types.js';

/** One way in which pixels could be laid out. */
export interface Option {
  readonly modifier: bigint;
  /** Absent where the layout is linear. */
  readonly tiling?: Tiling;
}

export const LINEAR_OPTION: Option = { modifier: LINEAR };
/** Without tiles: an image that can only be linear, or no image. */
export const LINEAR_ONLY: readonly Option[] = [LINEAR_OPTION];

/** Linear, and what else some memory can hold and geometry knows for the format. */
export function optionsOf({ content, memories }: Problem): readonly Option[] {
  if (!('format' in content)) return LINEAR_ONLY;
  let options = LINEAR_ONLY;
  let before: readonly bigint[] | undefined;
  for (const { modifiers } of memories) {
    // Most memories share one list.
    if (modifiers === before) continue;
    before = modifiers;
    for (const modifier of modifiers) {
      if (options.some((option) => option.modifier === modifier)) continue;
      const tiling = tilingOf(content.format, modifier);
      if (tiling !== undefined) options = [...options, { modifier, tiling }];
    }
  }
  return options;
}

/** Lays content out in one way. */
export function geometryOf(content: Problem['content'], limits: Limits, { tiling }: Option): Geometry {
  if (!('format' in content)) return layoutBytes(content.size, limits);
  return tiling === undefined ? layoutImage(content, limits) : layoutTiled(content, tiling, limits);
}

/** Whether all participants take an option. */
export const isTaken = ({ modifier }: Option, { modifiers }: Limits): boolean =>
  modifiers?.includes(modifier) ?? true;

/** An option with the layout that it makes. */
export interface LaidOut {
  readonly option: Option;
  readonly geometry: Exclude<Geometry, { failed: unknown }>;
}

/**
 * The best in one memory: compressed tiles, which cost the least bandwidth, before plain ones, and linear last. In contiguous
 * memory, which a display may be mapped to, plain tiles come before compressed ones. Among plain tiles, a driver's last choice
 * comes last. Then the smaller size wins, then the lower modifier.
 */
export function best(all: readonly LaidOut[], memory: Memory): LaidOut | undefined {
  return all
    .filter(({ option }) => memory.modifiers.includes(option.modifier))
    .toSorted(
      (a, b) =>
        rank(a.option, memory) - rank(b.option, memory) ||
        compare(a.geometry.size, b.geometry.size) ||
        compare(a.option.modifier, b.option.modifier),
    )[0];
}

function rank({ tiling }: Option, { contiguous }: Memory): number {
  if (tiling === undefined) return 4;
  if (tiling.isCompressed) return contiguous ? 3 : 0;
  return tiling.isLastChoice === true ? 2 : 1;
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
