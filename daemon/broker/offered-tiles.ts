import { pixelFormat } from '../constraints/formats.js';
import { tilingOf } from '../constraints/geometry/index.js';
import type { Tiling } from '../constraints/geometry/tiling.js';
import { isListed } from '../constraints/listed.js';
import {
  LINEAR,
  type Constraint,
  type Image,
  type Memory,
  type PixelFormat,
  type Problem,
} from '../constraints/constraint-types.js';
import type { Admitted, Participant } from './admit.js';
import type { Entry } from './broker-types.js';
import type { Steps } from './searches.js';
import type { Snapshot } from './snapshot.js';

/** Tiles that a decision looks at: layouts in all of them are tried. Machines have fewer in common. */
export const MAX_TILES = 16;

/**
 * The memories, with the tiles that they offer to a request beside linear: those that all lists have, as far as their
 * geometry is known. Nothing is tiled unasked, because a program that lists no modifiers expects none. Compressed tiles are
 * offered only where every entry lists them.
 * @param constraints what devices, entries and the request say of modifiers among them
 */
export function memoriesFor(
  { participants, content }: Admitted,
  constraints: readonly Constraint[],
  { memories, holdsTiles }: Pick<Snapshot, 'memories' | 'holdsTiles'>,
): Problem['memories'] {
  if (!('format' in content)) return memories;
  const tiles = listedTiles(content, participants, constraints.filter(isList));
  if (tiles.length === 0) return memories;
  const offered = [LINEAR, ...tiles];
  return memories.map((memory): Memory =>
    holdsTiles.has(memory.handle) ? { ...memory, modifiers: offered } : memory,
  );
}

function listedTiles(
  { format }: Image,
  participants: readonly Participant[],
  all: readonly List[],
): readonly bigint[] {
  const lists = all.filter(isClients).map(({ value }) => value);
  const [first, ...others] = lists;
  if (first === undefined) return [];
  const shortest = others.reduce((least, list) => (list.length < least.length ? list : least), first);
  const isListedByAll = participants.every((participant) => listOf(participant, format.fourcc) !== undefined);
  const common = tilesOf(format, shortest).filter(({ modifier }) =>
    all.every(({ value }) => isListed(value, modifier)),
  );
  const offered = common.filter(({ tiling }) => isListedByAll || !tiling.isCompressed);
  if (offered.length > 0) return modifiersOf(offered);
  if (all.every(({ value }) => isListed(value, LINEAR))) return [];
  // Then some of each list serve to explain that nothing is common to them.
  const each = Math.ceil(MAX_TILES / lists.length);
  const some = lists.flatMap((list) =>
    tilesOf(format, list)
      .filter(({ tiling }) => !tiling.isCompressed)
      .slice(0, each),
  );
  return [...new Set(modifiersOf(some))];
}

const modifiersOf = (tiles: readonly Tile[]): readonly bigint[] =>
  tiles.slice(0, MAX_TILES).map(({ modifier }) => modifier);

interface Tile {
  readonly modifier: bigint;
  readonly tiling: Tiling;
}

const KNOWN = new WeakMap<readonly bigint[], Map<string, readonly Tile[]>>();

/** The tiles in a list whose geometry is known, in the order in which they are preferred where sizes do not count. */
function tilesOf(format: PixelFormat, list: readonly bigint[]): readonly Tile[] {
  let byFormat = KNOWN.get(list);
  if (byFormat === undefined) KNOWN.set(list, (byFormat = new Map<string, readonly Tile[]>()));
  const known = byFormat.get(format.fourcc);
  if (known !== undefined) return known;
  const tiles = new Map<bigint, Tile>();
  for (const modifier of list) {
    const tiling = tilingOf(format, modifier);
    if (tiling !== undefined) tiles.set(modifier, { modifier, tiling });
  }
  const sorted = [...tiles.values()].toSorted(
    (a, b) => rankOf(a.tiling) - rankOf(b.tiling) || (a.modifier < b.modifier ? -1 : 1),
  );
  byFormat.set(format.fourcc, sorted);
  return sorted;
}

const rankOf = ({ isCompressed, isLastChoice }: Tiling): number =>
  isCompressed ? 0 : isLastChoice === true ? 2 : 1;

/**
 * Looks at what entries list, one list a step, so that a decision finds it known. A client's list has thousands of
 * modifiers, and a negotiation dozens of such lists.
 * @param fourcc format of the image that will be decided about
 */
export function* learnLists(entries: readonly Entry[], fourcc: string): Steps<void> {
  const format = pixelFormat(fourcc);
  if (format === undefined) return;
  for (const entry of entries) {
    const list = listOf(entry, fourcc);
    if (list === undefined || KNOWN.get(list)?.has(fourcc) === true) continue;
    tilesOf(format, list);
    isListed(list, LINEAR);
    yield;
  }
}

/** What says which modifiers are taken. */
export type List = Extract<Constraint, { kind: 'modifiers' | 'formats' }>;

/** But for memories. */
export const isList = (constraint: Constraint): constraint is List =>
  (constraint.kind === 'modifiers' || constraint.kind === 'formats') && constraint.memory === undefined;

export const isClients = ({ origin: { source } }: List): boolean =>
  source === 'client' || source === 'request';

/** The modifiers that an entry itself lists for a format; undefined where it lists none. */
export function listOf(
  { limits, formats }: Pick<Entry, 'limits' | 'formats'>,
  fourcc: string,
): readonly bigint[] | undefined {
  const listed = limits.modifiers ?? formats?.find(({ format }) => format === fourcc)?.modifiers;
  return listed?.length === 0 ? undefined : listed;
}
