import { readFileSync } from 'node:fs';

import type { BusKind } from '../harness/private-bus.js';
import type { BenchStand } from './bench-stand.js';
import type { Measure } from './figures.js';
import { served } from './over-the-bus.js';
import { inTurns } from './turns.js';

const CLIENTS = 1000;
const MOST_LIVE = 20_000;
/** Descriptors that the daemon has beside those of its buffers, at most. */
const OTHERS = 500;
const FEW = 10;
/** Buffers of one call while there come to be many. */
const AT_ONCE = 16;
const TURNS = 12;
const EACH = 8;
const REQUEST = 'size 4096';
const EMPTY = 'empty 25';
const EMPTY_TURNS = 400;

/** Buffers that a daemon may have descriptors for (`ulimit -Hn`) beside its others. */
export function descriptorRoom(): number {
  const limit = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === undefined ? Infinity : Number(limit) - OTHERS;
}

/** As many buffers as there is room for, in whole calls. */
export const crowdSize = (): number => AT_ONCE * Math.floor(Math.min(MOST_LIVE, descriptorRoom()) / AT_ONCE);

export const crowdName = (live: number, bus: BusKind): string =>
  `Allocate among ${CLIENTS} clients and ${live} buffers, ${bus}`;

/**
 * What a crowd costs: an allocation while there are a thousand clients and twenty thousand buffers, beside one of a second
 * daemon, on a bus of its own, while there are one client and ten. The second measure, in the same crowd, is what the bus
 * itself costs more for that.
 */
export const crowd = (
  quiet: BenchStand,
  busy: BenchStand,
  live: number,
  bus: BusKind,
): readonly Measure[] => [
  {
    name: crowdName(live, bus),
    against: `1 client and ${FEW} buffers`,
    target: 1.2,
    take: async () => {
      await quiet.load.run(REQUEST);
      await quiet.load.run(`hold ${FEW} 1`);
      await busy.load.run(REQUEST);
      await busy.load.run(`connections ${CLIENTS}`);
      await busy.load.run(`hold ${live / AT_ONCE} ${AT_ONCE}`);
      const allocate = `allocate ${EACH} 1`;
      return inTurns(
        TURNS,
        () => served(busy, allocate),
        () => served(quiet, allocate),
      );
    },
  },
  {
    name: `an empty call of a C service among ${CLIENTS} clients, ${bus}`,
    against: '1 client',
    target: 'floor',
    take: async () => {
      await busy.load.run(`connections ${CLIENTS}`);
      return inTurns(
        EMPTY_TURNS,
        () => busy.load.run(EMPTY),
        () => quiet.load.run(EMPTY),
      );
    },
  },
];
