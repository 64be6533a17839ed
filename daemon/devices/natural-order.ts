const RUNS = /\d+|\D+/g;

/**
 * Compares names for a sort: `video2` before `video10`. By hand, because the collation of Intl does the same only after it
 * has read ten megabytes of tables, at every start of the daemon.
 */
export function naturalOrder(left: string, right: string): number {
  const [a, b] = [left.match(RUNS) ?? [], right.match(RUNS) ?? []];
  for (const [i, run] of a.entries()) {
    const other = b[i];
    if (other === undefined) return 1;
    const order = Number(run) - Number(other) || compare(run, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

const compare = (left: string, right: string): number => (left < right ? -1 : Number(left > right));
