import { BenchStand } from './bench-stand.js';
import type { CurvePlan } from './curve.js';
import { decider, turnsOf } from './decider.js';
import type { Measure, Taken } from './figures.js';
import { machineWith, POOR, RICH, sizedDevices, skillOf, type Skill } from './sized-machine.js';
import { allInTurns, inTurns, type Side } from './turns.js';

const DEVICES = [1, 2, 4, 8, 16, 32, 64];
const PAIRS = [10, 40, 100, 200, 500, 1000, 2000];
const TARGETS = { anew: 1.5, before: 1.05 };
/** What is asked for in process is asked for over the bus as well. */
const REQUEST = ['device /dev/dri/card0 render', 'image 1920 1080 XR24'];
/** Calls before anything is measured, until the service runs compiled code. */
const WARM_UP = 3000;
/** Rounds of a point as a multiple of a measure's: it lasts long enough that a moment's load does not decide. */
const MORE = 5;
const EXPLAIN = { command: 'explain 25', calls: 25 };

/** How many devices a machine has, and what each can do. */
interface Size {
  readonly devices: number;
  readonly skill: Skill;
}

/** What a request for one device costs on a larger and larger machine: decided anew, and decided before. */
export const sizedCurves = (rounds: number): readonly CurvePlan[] => [
  ...both('devices', DEVICES, MORE * rounds, (devices) => ({ devices, skill: POOR })),
  ...both('format-modifier pairs', PAIRS, MORE * rounds, (pairs) => ({ devices: 1, skill: skillOf(pairs) })),
];

function both(
  of: string,
  sizes: readonly number[],
  rounds: number,
  sizeOf: (size: number) => Size,
): readonly CurvePlan[] {
  const all = sizes.map(sizeOf);
  return [
    { of, name: 'decide anew', target: TARGETS.anew, sizes, take: () => anew(all, rounds) },
    {
      of,
      name: 'Explain, decided before',
      target: TARGETS.before,
      sizes,
      take: () => before(all, rounds),
    },
  ];
}

async function* anew(sizes: readonly Size[], rounds: number): AsyncGenerator<Taken> {
  const deciders = withTwin(sizes).map(({ devices, skill }) => decider(skill, { devices, participants: 1 }));
  // All of them first: what they have in common is compiled for all that they meet.
  for (const each of deciders) await each.warmUp();
  const [twin, ...rest] = deciders;
  for (const each of rest) if (twin !== undefined) yield await inTurns(turnsOf(rounds), each.turn, twin.turn);
}

/** All daemons at once and each as often as the others: one that has served less is slower, whatever its machine. */
async function* before(sizes: readonly Size[], rounds: number): AsyncGenerator<Taken> {
  const stands: BenchStand[] = [];
  try {
    for (const size of withTwin(sizes)) stands.push(await standOf(size));
    const [baseline = [], ...rest] = await allInTurns(turnsOfExplain(rounds), stands.map(explaining));
    for (const ours of rest) yield { ours, baseline };
  } finally {
    for (const stand of stands) await stand[Symbol.asyncDispose]();
  }
}

/** The first size twice, so that it has a twin to be measured against. */
const withTwin = (sizes: readonly Size[]): readonly Size[] => [...sizes.slice(0, 1), ...sizes];

async function standOf({ devices, skill }: Size): Promise<BenchStand> {
  const stand = await BenchStand.set({ machine: machineWith(sizedDevices(devices, skill)) });
  try {
    for (const line of REQUEST) await stand.load.run(line);
    await stand.load.run(`explain ${WARM_UP}`);
    return stand;
  } catch (error) {
    await stand[Symbol.asyncDispose]();
    throw error;
  }
}

const explaining =
  ({ load }: BenchStand): Side =>
  () =>
    load.run(EXPLAIN.command);
const turnsOfExplain = (rounds: number): number => Math.ceil(rounds / EXPLAIN.calls);

/** The ends of both scales together, decided before. */
export const decidedBefore = (rounds: number): Measure => ({
  name: 'Explain, decided before, one of 64 devices of 2,000 pairs each',
  against: 'the one device there is, of 10 pairs',
  target: TARGETS.before,
  take: async () => {
    await using rich = await standOf({ devices: 64, skill: RICH });
    await using poor = await standOf({ devices: 1, skill: POOR });
    return await inTurns(turnsOfExplain(rounds), explaining(rich), explaining(poor));
  },
});
