import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { endChild } from '../harness/private-bus.js';
import type { BenchStand } from './bench-stand.js';
import type { Measure, Taken } from './figures.js';
import { FRAME } from './over-the-bus.js';
import { inTurns } from './turns.js';

const PROGRAM = fileURLToPath(new URL('node-echo.js', import.meta.url));
/** The name that the client asks unless told otherwise, and that of the service under Node.js. */
const C_ECHO = 'dmabroker.bench.Echo';
const NODE_ECHO = 'dmabroker.bench.NodeEcho';
/** As many calls in a row as what is measured beside it has. */
const TURN = 20;
const WARM_UP = 1500;

/**
 * What any service costs that says as much, whatever it is written in: the C service with the very answers of ours, beside
 * its least ones. Most of it is the bus, which looks at every value of a message, and the client, which writes and reads it.
 */
export const sameAnswers = (stand: BenchStand, rounds: number): readonly Measure[] =>
  [
    ['explain', "Explain's answer from a C service", 'empty', 'an empty call of a C service'],
    ['allocate', "Allocate's answer from a C service", 'descriptor', 'a C service that returns a descriptor'],
  ].map(([call = '', name = '', least = '', against = '']) => ({
    name,
    against,
    target: 'floor',
    take: () => takeSame(stand, call, least, Math.ceil(rounds / TURN)),
  }));

async function takeSame({ load }: BenchStand, call: string, least: string, turns: number): Promise<Taken> {
  await load.run(FRAME);
  const command = call === 'allocate' ? `allocate ${TURN} 1` : `${call} ${TURN}`;
  try {
    await load.run(`service ${C_ECHO}`);
    return await inTurns(
      turns,
      () => load.run(command),
      () => load.run(`${least} ${TURN}`),
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
  const service = spawn(process.execPath, [PROGRAM, stage.address, NODE_ECHO], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ask = async (whom: string, times: number): Promise<readonly number[]> => {
    await load.run(`echo ${whom}`);
    return load.run(`${call} ${times}`);
  };
  try {
    await once(createInterface(service.stdout), 'line');
    await ask(NODE_ECHO, WARM_UP);
    return await inTurns(
      turns,
      () => ask(NODE_ECHO, TURN),
      () => ask(C_ECHO, TURN),
    );
  } finally {
    await load.run(`echo ${C_ECHO}`);
    await endChild(service);
  }
}
