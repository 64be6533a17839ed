import type { BenchStand } from './bench-stand.js';
import type { Measure, Taken } from './figures.js';
import { inTurns, type Side } from './turns.js';

/** A picture of 3840 × 2160 at four bytes a pixel. */
export const FRAME = 'image 3840 2160 XR24';
const FRAME_BYTES = 33_177_600;
/** Frames that are taken in a row, from what lies ready. */
const IN_A_ROW = 8;
/** Buffers of the largest call. */
const AT_ONCE = 16;
const SMALL = 'size 65536';
/** Times that an allocation is tried again because something had to be made for it. */
const ATTEMPTS = 5;
/** Calls of one side before it is the other's turn. */
const TURN = 20;
/** Calls before anything is measured, until the service runs compiled code. */
const WARM_UP = 1500;

/** What a client sees of the service: every figure beside one of the C service's, on the same bus. */
export function overTheBus(stand: BenchStand, rounds: number): readonly Measure[] {
  const { load } = stand;
  return [
    ...besideC(stand, rounds),
    {
      name: 'Allocate that frame, beside plain memory',
      against: 'memfd_create and its pages',
      target: 0.02,
      take: () =>
        fromStock(stand, FRAME, { turns: 6, each: IN_A_ROW }, () => load.run(`memfd ${FRAME_BYTES} 4`)),
    },
    {
      name: `Allocate with count ${AT_ONCE}`,
      against: 'count 1',
      target: 2.5,
      take: () => inBulk(stand, Math.ceil(rounds / 10)),
    },
  ];
}

/** What is measured against the least that a service in C does. */
export function besideC(stand: BenchStand, rounds: number): readonly Measure[] {
  const { load } = stand;
  const turns = Math.ceil(rounds / TURN);
  const frames = { turns: Math.ceil(rounds / IN_A_ROW / 4), each: IN_A_ROW };
  return [
    {
      name: 'Allocate a 3840×2160 XR24 frame that lies ready',
      against: 'a C service that returns a descriptor',
      target: 2,
      take: () => fromStock(stand, FRAME, frames, () => load.run(`descriptor ${IN_A_ROW}`)),
    },
    {
      name: 'Explain, decided before',
      against: 'an empty call of a C service',
      target: 2,
      take: async () => {
        await load.run(FRAME);
        return inTurns(
          turns,
          () => load.run(`explain ${TURN}`),
          () => load.run(`empty ${TURN}`),
        );
      },
    },
  ];
}

/** Calls of everything until what serves them is compiled. */
export async function warmUp({ load }: BenchStand): Promise<void> {
  await load.run('device cpu');
  await load.run(FRAME);
  for (const call of ['empty', 'descriptor', 'explain']) await load.run(`${call} ${WARM_UP}`);
  await load.run('size 4096');
  for (let i = 0; i < WARM_UP; i += TURN) await load.run(`allocate ${TURN} 1`);
}

async function fromStock(
  stand: BenchStand,
  request: string,
  { turns, each }: { readonly turns: number; readonly each: number },
  baseline: Side,
): Promise<Taken> {
  const { load } = stand;
  await load.run(request);
  // What was asked is what lies ready afterwards.
  for (let i = 0; i < 2; i += 1) await load.run(`allocate ${each} 1`);
  return inTurns(
    turns,
    () => served(stand, `allocate ${each} 1`),
    async () => {
      await stand.settled();
      return baseline();
    },
  );
}

async function inBulk(stand: BenchStand, turns: number): Promise<Taken> {
  const { load } = stand;
  await load.run(SMALL);
  for (let i = 0; i < 2; i += 1) await load.run(`allocate 1 ${AT_ONCE}`);
  return inTurns(
    turns,
    () => served(stand, `allocate 1 ${AT_ONCE}`),
    () => served(stand, 'allocate 1 1'),
  );
}

/** Allocations of what lies ready; those for which something had to be made are not counted. */
export async function served(stand: BenchStand, command: string): Promise<readonly number[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    await stand.settled();
    const misses = await stand.misses();
    const taken = await stand.load.run(command);
    if ((await stand.misses()) === misses) return taken;
  }
  throw new Error(`${command}: buffers had to be made each time, so that nothing was measured`);
}
