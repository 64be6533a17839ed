import { connect, type Broker } from '../../client/index.js';
import type { BenchStand } from './bench-stand.js';
import type { Measure } from './figures.js';
import { served } from './over-the-bus.js';
import { inTurns } from './turns.js';

const REQUEST = 'size 4096';
const BUFFER = { size: 4096, count: 1 } as const;
const CPU = [{ device: 'cpu', uses: ['read'] }] as const;
const COLLECTIONS = 1000;
/** Collections of one connection, which may have 64. */
const OF_CONNECTION = 50;
const TURNS = 40;
const EACH = 8;

/**
 * What it costs that several programs agree: ten calls, of which four have to wait for one another. Here one process plays
 * all three parties, and takes turns with itself.
 */
export const negotiation = (stand: BenchStand, rounds: number): readonly Measure[] => [
  {
    name: 'a negotiation of 3 parties (10 calls), until all have the buffers',
    against: 'one Allocate',
    target: 4,
    take: async () => {
      const brokers = await Promise.all([0, 1, 2].map(() => connectTo(stand)));
      const [first] = brokers;
      try {
        return await inTurns(
          Math.ceil(rounds / 4),
          async () => [await agreed(brokers)],
          async () => (first === undefined ? [] : [await allocated(first)]),
        );
      } finally {
        await closeAll(brokers);
      }
    },
  },
];

export const AMONG_COLLECTIONS = `Allocate among ${COLLECTIONS} collections`;

/** What an allocation costs while there are many collections, beside one of a second daemon that has none. */
export const amongCollections = (quiet: BenchStand, busy: BenchStand): Measure => ({
  name: AMONG_COLLECTIONS,
  against: 'none',
  target: 1.05,
  take: async () => {
    const brokers: Broker[] = [];
    try {
      for (let made = 0; made < COLLECTIONS; made += OF_CONNECTION) {
        const broker = await connectTo(busy);
        brokers.push(broker);
        for (let each = 0; each < OF_CONNECTION; each += 1) await hold(broker);
      }
      await quiet.load.run(REQUEST);
      await busy.load.run(REQUEST);
      const allocate = `allocate ${EACH} 1`;
      return await inTurns(
        TURNS,
        () => served(busy, allocate),
        () => served(quiet, allocate),
      );
    } finally {
      await closeAll(brokers);
    }
  },
});

/** Over the bus, as parties are. */
const connectTo = ({ stage }: BenchStand): Promise<Broker> => connect({ bus: stage.address, channel: false });

async function closeAll(brokers: readonly Broker[]): Promise<void> {
  await Promise.all(brokers.map((broker) => broker.close()));
}

/** A collection that has its buffer, which goes with the connection. */
async function hold(broker: Broker): Promise<void> {
  const party = await broker.negotiate(BUFFER);
  await party.constrain([CPU]);
  await (await party.buffers()).release();
}

const since = (start: bigint): number => Number(process.hrtime.bigint() - start);

async function allocated(broker: Broker): Promise<number> {
  const start = process.hrtime.bigint();
  const allocation = await broker.allocate(CPU, BUFFER);
  const took = since(start);
  await allocation.release();
  return took;
}

/** As programs do that send one call behind the other, where no answer is needed for the next. */
async function agreed([first, ...others]: readonly Broker[]): Promise<number> {
  if (first === undefined) return 0;
  const start = process.hrtime.bigint();
  const creator = await first.negotiate(BUFFER);
  const tokens = others.map(() => creator.invite());
  const parties = [
    creator,
    ...(await Promise.all(others.map(async (broker, at) => broker.join((await tokens[at]) ?? '')))),
  ];
  const buffers = await Promise.all(
    parties.map(async (party) => {
      const said = party.constrain([CPU]);
      const given = party.buffers();
      await said;
      return given;
    }),
  );
  const took = since(start);
  await Promise.all(buffers.map((each) => each.release()));
  await Promise.all(parties.map((party) => party.leave()));
  return took;
}
