import type { Taken } from './figures.js';

/** Makes rounds of what is measured. @returns nanoseconds of each */
export type Side = () => Promise<readonly number[]>;

/**
 * Takes both sides in turns, so that whatever else the machine does is shared between them; which comes first changes, as
 * whoever comes later finds the processor awake.
 */
export async function inTurns(turns: number, ours: Side, baseline: Side): Promise<Taken> {
  const taken = { ours: [] as number[], baseline: [] as number[] };
  for (let turn = 0; turn < turns; turn += 1) {
    if (turn % 2 === 0) taken.baseline.push(...(await baseline()));
    taken.ours.push(...(await ours()));
    if (turn % 2 === 1) taken.baseline.push(...(await baseline()));
  }
  return taken;
}

/** The same of any number of sides, of which each comes first as often as last. @returns nanoseconds of each side */
export async function allInTurns(
  turns: number,
  sides: readonly Side[],
): Promise<readonly (readonly number[])[]> {
  const all = sides.map((side) => ({ side, taken: [] as number[] }));
  for (let turn = 0; turn < turns; turn += 1)
    for (const { side, taken } of turn % 2 === 0 ? all : all.toReversed()) taken.push(...(await side()));
  return all.map(({ taken }) => taken);
}
