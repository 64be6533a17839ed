import { busKinds, type BusKind } from '../harness/private-bus.js';
import { BenchStand } from './bench-stand.js';
import type { CurvePlan } from './curve.js';
import type { Taken } from './figures.js';
import { served, warmUp } from './over-the-bus.js';
import { descriptorRoom } from './scale.js';
import { inTurns } from './turns.js';

const CLIENTS = [1, 10, 100, 1000];
const BUFFERS = [10, 100, 1000, 10_000, 50_000];
const TARGET = 1.2;
const REQUEST = 'size 4096';
/** As many as lie ready of one size. */
const IN_A_ROW = 16;
const ALLOCATE = `allocate ${IN_A_ROW} 1`;
const TURNS = 16;

/** Calls of the C service, which need nothing to lie ready. */
const EMPTY = { command: 'empty 25', turns: 400 };

/** What an allocation from what lies ready costs while a daemon gets more clients, and while more buffers live. */
export const growthCurves = (): readonly CurvePlan[] => [
  ...busKinds().map(byClients),
  floorByClients(),
  byBuffers(descriptorRoom()),
];

const name = 'Allocate what is ready';
const clients = { of: 'clients', sizes: CLIENTS };

/** Clients of which each has a buffer: one that is connected and nothing else costs the daemon nothing. */
const byClients = (bus: BusKind): CurvePlan => ({
  ...clients,
  name: `${name}, ${bus}`,
  target: TARGET,
  take: () =>
    grow(CLIENTS, {
      bus,
      reach: async ({ load }, size) => {
        await load.run(`connections ${size}`);
        await load.run(`hold ${size} 1`);
      },
    }),
});

/** A bus can have a cost of its own for each client, which every message pays: dbus-daemon looks through timeouts of all. */
const floorByClients = (): CurvePlan => ({
  ...clients,
  name: 'an empty call of a C service, dbus-daemon',
  target: 'floor',
  take: () =>
    grow(CLIENTS, {
      reach: async ({ load }, size) => {
        await load.run(`connections ${size}`);
      },
      turns: EMPTY.turns,
      side: ({ load }) => load.run(EMPTY.command),
    }),
});

/** Buffers of one client, each an allocation of its own. @param room as many as there can be */
function byBuffers(room: number): CurvePlan {
  const meant = Math.max(...BUFFERS);
  const sizes = room < meant ? [...BUFFERS.filter((size) => size < room), room] : BUFFERS;
  return {
    of: 'live buffers',
    name,
    target: TARGET,
    sizes,
    ...(room < meant && { end: { meant, why: 'ulimit -Hn allows no more' } }),
    take: () =>
      grow(sizes, {
        reach: async ({ load }, size, before) => {
          await load.run(`hold ${size - before} 1`);
        },
      }),
  };
}

interface Growth {
  readonly bus?: BusKind;
  /** Makes a daemon have as much as is measured next. */
  readonly reach: (stand: BenchStand, size: number, before: number) => Promise<void>;
  readonly turns?: number;
  /** What is measured. */
  readonly side?: (stand: BenchStand) => Promise<readonly number[]>;
}

/** One daemon grows from size to size, beside one that stays at the first. */
async function* grow(
  sizes: readonly number[],
  { bus = 'dbus-daemon', reach, turns = TURNS, side = (stand) => served(stand, ALLOCATE) }: Growth,
): AsyncGenerator<Taken> {
  await using small = await BenchStand.set({ bus });
  await using large = await BenchStand.set({ bus });
  for (const stand of [small, large]) {
    await warmUp(stand);
    await stand.load.run(REQUEST);
  }
  let before = 0;
  for (const size of sizes) {
    await reach(large, size, before);
    if (before === 0) await reach(small, size, before);
    // The one that stays serves as many calls as the one that grows: code that ran more often is better compiled.
    else for (let calls = before; calls < size; calls += IN_A_ROW) await small.load.run(ALLOCATE);
    before = size;
    // What was asked is what lies ready afterwards.
    for (const { load } of [small, large]) await load.run(ALLOCATE);
    yield await inTurns(
      turns,
      () => side(large),
      () => side(small),
    );
  }
}
