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

/** Steps taken before the search settles for an irreducible set that may not be the smallest. */
export const MAX_STEPS = 4000;
/** Steps between two pauses: some tenths of a millisecond. */
const STEPS_PER_SLICE = 50;

/** What a search may take beside its own bound, asked once for each step. */
export interface StepAllowance {
  /** Takes one step. @returns whether there was one */
  take(): boolean;
}

export const EVERY_STEP: StepAllowance = { take: () => true };

/** Items that cannot hold together, none of which can be left out. */
export interface Conflict<Item> {
  readonly items: readonly Item[];
  /** Whether there is none with fewer items; otherwise that was not found out. */
  readonly isSmallest: boolean;
}

/** Steps that are left; it pauses when a slice of them is used up. */
class StepBudget {
  readonly #steps: number;
  readonly #allowance: StepAllowance;
  #used = 0;
  #isRefused = false;

  constructor(steps: number, allowance = EVERY_STEP) {
    this.#steps = steps;
    this.#allowance = allowance;
  }

  get ended(): boolean {
    return this.#isRefused || this.#used >= this.#steps;
  }

  *step(): Generator<void, void> {
    this.#isRefused ||= !this.#allowance.take();
    if (++this.#used % STEPS_PER_SLICE === 0) yield;
  }
}

interface SearchBounds {
  readonly steps?: number;
  readonly allowance?: StepAllowance;
}

/**
 * The smallest set of items that cannot hold together; none of its items can be left out. It pauses (yields) now and
 * then, so that a caller can do other things between. Where the search for the smallest would take too long
 * (it is exponential at worst, and the items come from clients), the set is irreducible but perhaps not the smallest:
 * it is then made of the first items, as far as they clash.
 *
 * The way: a set cannot hold together exactly when it hits every correction set (items whose removal makes the rest
 * hold). So take the smallest set that hits all correction sets known so far; while it does hold together, grow it
 * to a largest set that does, and what is left out is a correction set that was not known.
 *
 * @param items cannot hold together, the empty set can; best with those first that clash the most
 * @throws {RangeError} when they do hold together
 */
export function* smallestConflict<Item, State>(
  items: readonly Item[],
  merging: Merging<Item, State>,
  { steps = MAX_STEPS, allowance = EVERY_STEP }: SearchBounds = {},
): Generator<void, Conflict<Item>> {
  const stepBudget = new StepBudget(steps, allowance);
  const corrections: (readonly Item[])[] = [];
  for (;;) {
    const candidate = yield* smallestHitting(corrections, stepBudget);
    if (candidate === undefined) return { items: yield* irreducible(items, merging), isSmallest: false };
    const state = merged(candidate, merging);
    if (!merging.holds(state))
      return { items: items.filter((item) => candidate.has(item)), isSmallest: true };
    corrections.push(yield* leftOut(items, candidate, state, merging, stepBudget));
  }
}

const merged = <Item, State>(items: Iterable<Item>, merging: Merging<Item, State>): State => {
  let state = merging.empty;
  for (const item of items) state = merging.add(state, item);
  return state;
};

/** Grows the candidate, item by item, to a largest set that holds; returns the items that found no place in it. */
function* leftOut<Item, State>(
  items: readonly Item[],
  candidate: ReadonlySet<Item>,
  start: State,
  merging: Merging<Item, State>,
  stepBudget: StepBudget,
): Generator<void, readonly Item[]> {
  const without: Item[] = [];
  let state = start;
  for (const item of items) {
    if (candidate.has(item)) continue;
    const more = merging.add(state, item);
    if (merging.holds(more)) state = more;
    else without.push(item);
    yield* stepBudget.step();
  }
  return without;
}

/**
 * The smallest set that has an item of every list, or undefined if the step budget ends first. It deepens step by step,
 * branching on the shortest list that is not hit yet.
 */
function* smallestHitting<Item>(
  lists: readonly (readonly Item[])[],
  stepBudget: StepBudget,
): Generator<void, ReadonlySet<Item> | undefined> {
  const chosen = new Set<Item>();
  for (let depth = 0; depth <= lists.length; depth++) {
    if (yield* hit(lists, chosen, depth, stepBudget)) return chosen;
    if (stepBudget.ended) return undefined;
  }
  return undefined;
}

/** Whether at most `depth` more items make `chosen` hit every list; if so they are in it. */
function* hit<Item>(
  lists: readonly (readonly Item[])[],
  chosen: Set<Item>,
  depth: number,
  stepBudget: StepBudget,
): Generator<void, boolean> {
  yield* stepBudget.step();
  let shortest: readonly Item[] | undefined;
  for (const list of lists) {
    if (shortest !== undefined && shortest.length <= list.length) continue;
    if (!list.some((item) => chosen.has(item))) shortest = list;
  }
  if (shortest === undefined) return true;
  if (depth === 0) return false;
  for (const item of shortest) {
    if (stepBudget.ended) return false;
    chosen.add(item);
    if (yield* hit(lists, chosen, depth - 1, stepBudget)) return true;
    chosen.delete(item);
  }
  return false;
}

/** An irreducible set: the item at which the items stop holding belongs to it; begin again with it in front. */
function* irreducible<Item, State>(
  items: readonly Item[],
  merging: Merging<Item, State>,
): Generator<void, readonly Item[]> {
  // It ends by itself: each round takes one item in and leaves behind all that came after it.
  const pauses = new StepBudget(Infinity);
  const found = new Set<Item>();
  let state = merging.empty;
  let rest: readonly Item[] = items;
  while (merging.holds(state)) {
    let trial = state;
    const before: Item[] = [];
    let clashing: Item | undefined;
    for (const item of rest) {
      trial = merging.add(trial, item);
      if (!merging.holds(trial)) {
        clashing = item;
        break;
      }
      before.push(item);
      yield* pauses.step();
    }
    // Without this, items that hold together after all would be asked for ever.
    if (clashing === undefined) throw new RangeError('the items hold together: there is no conflict to find');
    found.add(clashing);
    state = merging.add(state, clashing);
    rest = before;
  }
  return items.filter((item) => found.has(item));
}
