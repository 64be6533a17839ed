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
