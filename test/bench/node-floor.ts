import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { endChild } from '../harness/private-bus.js';
import type { BenchStand } from './bench-stand.js';
import type { Measure, Taken } from './figures.js';
import { inTurns } from './turns.js';

const PROGRAM = fileURLToPath(new URL('node-echo.js', import.meta.url));
/** The name that the client asks unless told otherwise, and that of the service under Node.js. */
const C_ECHO = 'dmabroker.bench.Echo';
const NODE_ECHO = 'dmabroker.bench.NodeEcho';
/** As many calls in a row as what is measured beside it has. */
const TURN = 20;
const WARM_UP = 1500;

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
