import type { BenchStand } from './bench-stand.js';
import { decider, turnsOf } from './decider.js';
import type { Measure } from './figures.js';
import { POOR, RICH, skillOf } from './sized-machine.js';
import { inTurns, type Side } from './turns.js';

const EMPTY_CALLS = 50;

/** The solver alone, without a bus, beside what a call over the bus costs. */
export function inProcess({ load }: BenchStand, rounds: number): readonly Measure[] {
  const small = decider({ formats: 1, modifiers: 8 });
  const large = decider(skillOf(160));
  const tiled = decider(skillOf(160), { lists: true });
  const poor = decider(POOR, { devices: 1, participants: 1 });
  const rich = decider(RICH, { devices: 64, participants: 1 });
  const empty: Side = () => load.run(`empty ${EMPTY_CALLS}`);
  const measure = (name: string, against: string, target: number, ours: Side, baseline: Side): Measure => ({
    name,
    against,
    target,
    take: async () => {
      for (const each of [small, large, tiled, poor, rich]) await each.warmUp();
      return inTurns(turnsOf(rounds), ours, baseline);
    },
  });
  const call = 'an empty call of a C service';
  return [
    measure('decide anew, 4 devices, 8 pairs each', call, 0.8, small.turn, empty),
    measure('decide anew, 4 devices, 160 pairs each', call, 1, large.turn, empty),
    measure('the same', '8 pairs each', 20, large.turn, small.turn),
    measure('the same, each listed by its entry', 'none listed', 1.5, tiled.turn, large.turn),
    measure(
      'decide anew, one of 64 devices of 2,000 pairs each',
      'the one device there is, of 10 pairs',
      1.5,
      rich.turn,
      poor.turn,
    ),
  ];
}
