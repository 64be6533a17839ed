import { tilingOf } from '../constraints/geometry/index.js';
import { LINEAR, type Image, type Memory, type Problem } from '../constraints/constraint-types.js';
import type { Admitted, Participant } from './admit.js';
import type { Snapshot } from './snapshot.js';

/**
 * Tiles that a decision looks at. No device takes as many that are known here, but a client can make up thousands, whose
 * layouts would all be tried. What all lists have in common comes first, so that others only serve to explain a conflict.
 */
const MAX_TILES = 16;

/**
 * The memories, with the tiles that they offer to a request beside linear: those that some entry or the buffer lists, as
 * far as their geometry is known. Nothing is tiled unasked, because a program that lists no modifiers expects none.
 * Compressed tiles are offered only where every entry lists them.
 */
export function memoriesFor(
  { participants, content, modifiers }: Admitted,
  { memories, holdsTiles }: Pick<Snapshot, 'memories' | 'holdsTiles'>,
): Problem['memories'] {
  if (!('format' in content)) return memories;
  const tiles = listedTiles(content, participants, modifiers);
  if (tiles.length === 0) return memories;
  const offered = [LINEAR, ...tiles];
  return memories.map((memory): Memory =>
    holdsTiles.has(memory.handle) ? { ...memory, modifiers: offered } : memory,
  );
}

function listedTiles(
  { format }: Image,
  participants: readonly Participant[],
  requested: readonly bigint[] | undefined,
): readonly bigint[] {
  const own = participants.map((participant) => listOf(participant, format.fourcc));
  const lists = [...own, requested].flatMap((list) => (list === undefined ? [] : [new Set(list)]));
  const isListedByAll = own.every((list) => list !== undefined);
  const common: bigint[] = [];
  const others: bigint[] = [];
  for (const modifier of new Set(lists.flatMap((list) => [...list]))) {
    const tiling = modifier === LINEAR ? undefined : tilingOf(format, modifier);
    if (tiling === undefined) continue;
    const isCommon = lists.every((list) => list.has(modifier));
    if (tiling.isCompressed && !(isCommon && isListedByAll)) continue;
    if (isCommon) common.push(modifier);
    else others.push(modifier);
  }
  return [...common, ...others].slice(0, MAX_TILES);
}

/** The modifiers that an entry itself lists for a format; undefined where it lists none. */
export function listOf({ limits, formats }: Participant, fourcc: string): readonly bigint[] | undefined {
  const listed = limits.modifiers ?? formats?.find(({ format }) => format === fourcc)?.modifiers;
  return listed?.length === 0 ? undefined : listed;
}
