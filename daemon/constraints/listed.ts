const SETS = new WeakMap<readonly unknown[], ReadonlySet<unknown>>();
/** Items up to which scanning a list beats a set. */
const SHORT = 16;

/**
 * Whether an item is in a list that never changes. Clients list thousands of modifiers, and a decision looks again and
 * again: a long list is walked once, as long as it is kept.
 */
export function isListed<T>(list: readonly T[], item: T): boolean {
  if (list.length <= SHORT) return list.includes(item);
  let items = SETS.get(list);
  if (items === undefined) SETS.set(list, (items = new Set(list)));
  return items.has(item);
}
