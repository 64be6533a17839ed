import { endChild } from '../harness/private-bus.js';
import type { BenchStand } from './bench-stand.js';
import { ECHO, NODE_ECHO, startEcho } from './echo.js';
import type { Measure, Taken } from './figures.js';
import { FRAME } from './over-the-bus.js';
import { inTurns } from './turns.js';

/** As many calls in a row as what is measured beside it has. */
const TURN = 20;
const WARM_UP = 1500;

/**
 * What any service costs that says as much, whatever it is written in: the C service with the very answers of ours, beside
 * its least ones. Most of it is the bus, which looks at every value of a message, and the client, which writes and reads it.
 */
export const sameAnswers = (stand: BenchStand, rounds: number): readonly Measure[] =>
  [
    {
      name: "Explain's answer from a C service",
      against: 'an empty call of a C service',
      same: `explain ${TURN}`,
      least: `empty ${TURN}`,
    },
    {
      name: "Allocate's answer from a C service",
      against: 'a C service that returns a descriptor',
      same: `allocate ${TURN} 1`,
      least: `descriptor ${TURN}`,
    },
  ].map(({ name, against, same, least }) => ({
    name,
    against,
    target: 'floor',
    take: () => takeSame(stand, same, least, Math.ceil(rounds / TURN)),
  }));

async function takeSame({ load }: BenchStand, same: string, least: string, turns: number): Promise<Taken> {
  await load.run(FRAME);
  try {
    await load.run(`service ${ECHO.c}`);
    return await inTurns(
      turns,
      () => load.run(same),
      () => load.run(least),
    );
  } finally {
    await load.run('service -');
  }
}

/** What any service under Node.js costs beside one in C, whatever it does: where ours cannot be quicker. */
export const nodeFloor = (stand: BenchStand, rounds: number): readonly Measure[] =>
  [
    ['empty', 'an empty call of a Node.js service that does nothing', 'an empty call of a C service'],
    ['descriptor', 'a descriptor of a Node.js service', 'a C service that returns a descriptor'],
  ].map(([call = '', name = '', against = '']) => ({
    name,
    against,
    target: 'floor',
    take: () => take(stand, call, Math.ceil(rounds / TURN)),
  }));

async function take({ load, stage }: BenchStand, call: string, turns: number): Promise<Taken> {
  const service = await startEcho(NODE_ECHO, stage.address);
  const ask = async (whom: string, times: number): Promise<readonly number[]> => {
    await load.run(`echo ${whom}`);
    return load.run(`${call} ${times}`);
  };
  try {
    await ask(ECHO.node, WARM_UP);
    return await inTurns(
      turns,
      () => ask(ECHO.node, TURN),
      () => ask(ECHO.c, TURN),
    );
  } finally {
    await load.run(`echo ${ECHO.c}`);
    await endChild(service);
  }
}
