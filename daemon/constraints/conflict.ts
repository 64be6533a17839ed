/**
 * Finds out why things cannot hold together. It knows nothing of constraints: only items, and how to ask whether some
 * of them hold together (fewer items always hold at least as well).
 */
export interface Merging<Item, State> {
  /** Nothing merged yet. */
  readonly empty: State;
  /** The state with one more item; the given state stays as it is. */
  add(state: State, item: Item): State;
  holds(state: State): boolean;
}

/** Questions asked before the search settles for an irreducible set that may not be the smallest. */
const PATIENCE = 20_000;
/** Questions asked between two pauses: some tenths of a millisecond. */
const SLICE = 100;

/**
 * The smallest set of items that cannot hold together; none of its items can be left out. It pauses (yields) now and
 * then, so that a caller can do other things between. Where the search for the smallest would take too long
 * (it is exponential at worst, and the items come from clients), the set is irreducible but perhaps not the smallest.
 *
 * The way: a set cannot hold together exactly when it hits every correction set (items whose removal makes the rest
 * hold). So take the smallest set that hits all correction sets known so far; while it does hold together, grow it
 * to a largest set that does, and what is left out is a correction set that was not known.
 *
 * @param items cannot hold together; the empty set can
 */
export function* smallestConflict<Item, State>(
  items: readonly Item[],
  merging: Merging<Item, State>,
): Generator<void, readonly Item[]> {
  const corrections: (readonly Item[])[] = [];
  let asked = 0;
  while (asked < PATIENCE) {
    const candidate = smallestHitting(corrections, PATIENCE);
    if (candidate === undefined) break;
    let state = [...candidate].reduce((merged, item) => merging.add(merged, item), merging.empty);
    if (!merging.holds(state)) return items.filter((item) => candidate.has(item));
    const correction: Item[] = [];
    for (const item of items) {
      if (candidate.has(item)) continue;
      const more = merging.add(state, item);
      if (merging.holds(more)) state = more;
      else correction.push(item);
      if (++asked % SLICE === 0) yield;
    }
    corrections.push(correction);
  }
  return yield* irreducible(items, merging);
}

/**
 * The smallest set that has an item of every list, or undefined when finding it takes more than `patience` steps.
 * Deepens step by step, branching on the shortest list that is not hit yet.
 */
function smallestHitting<Item>(
  lists: readonly (readonly Item[])[],
  patience: number,
): ReadonlySet<Item> | undefined {
  const chosen = new Set<Item>();
  let steps = 0;
  const search = (depth: number): boolean => {
    if (++steps > patience) return false;
    let shortest: readonly Item[] | undefined;
    for (const list of lists) {
      if (shortest !== undefined && shortest.length <= list.length) continue;
      if (!list.some((item) => chosen.has(item))) shortest = list;
    }
    if (shortest === undefined) return true;
    if (depth === 0) return false;
    for (const item of shortest) {
      chosen.add(item);
      if (search(depth - 1)) return true;
      chosen.delete(item);
    }
    return false;
  };
  for (let depth = 0; depth <= lists.length && steps <= patience; depth++) if (search(depth)) return chosen;
  return undefined;
}

/** An irreducible set: the item at which the items stop holding belongs to it; begin again with it in front. */
function* irreducible<Item, State>(
  items: readonly Item[],
  merging: Merging<Item, State>,
): Generator<void, readonly Item[]> {
  const found = new Set<Item>();
  let state = merging.empty;
  let rest: readonly Item[] = items;
  let asked = 0;
  while (merging.holds(state)) {
    let trial = state;
    const kept: Item[] = [];
    for (const item of rest) {
      trial = merging.add(trial, item);
      if (!merging.holds(trial)) {
        found.add(item);
        state = merging.add(state, item);
        break;
      }
      kept.push(item);
      if (++asked % SLICE === 0) yield;
    }
    rest = kept;
  }
  return items.filter((item) => found.has(item));
}
