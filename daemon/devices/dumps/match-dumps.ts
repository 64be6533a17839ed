/** Dumps by the listed device that each is about; each device has one at most. */
export interface MatchedDumps<Listed, Dump> {
  readonly of: ReadonlyMap<Listed, Dump>;
  /** About devices that are not listed. */
  readonly others: readonly Dump[];
}

/** Gives each dump to the first listed device that it fits and that has none yet. */
export function matchDumps<Listed, Dump>(
  listed: readonly Listed[],
  dumps: readonly Dump[],
  fits: (dump: Dump, device: Listed) => boolean,
): MatchedDumps<Listed, Dump> {
  const of = new Map<Listed, Dump>();
  const others: Dump[] = [];
  for (const dump of dumps) {
    const device = listed.find((each) => !of.has(each) && fits(dump, each));
    if (device === undefined) others.push(dump);
    else of.set(device, dump);
  }
  return { of, others };
}
