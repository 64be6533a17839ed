/** `npm run bench:start`: what the bundle's start costs, beside a Node.js that does nothing, and what an idle daemon is. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { FdStore } from '../harness/fd-store.js';
import { endChild, startBus, type PrivateBus } from '../harness/private-bus.js';
import { quantile } from './load.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    /** Seconds that it is left alone, and then watched. */
    idle: { type: 'string', default: '30' },
    program: {
      type: 'string',
      default: fileURLToPath(new URL('../../bundle/dmabrokerd.js', import.meta.url)),
    },
  },
});

/** Microseconds, as the unit has it (WatchdogSec=). */
const WATCHDOG = 30_000_000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const median = (values: readonly number[]): number => quantile(values, 0.5);

/** A daemon that said READY=1, and milliseconds from its exec until then. */
async function start(bus: PrivateBus, store: FdStore): Promise<readonly [ChildProcess, number]> {
  const ready = store.next('READY=1');
  const begun = performance.now();
  const daemon = spawn(process.execPath, [options.program, '--bus', bus.address, '--log-level', 'warn'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NOTIFY_SOCKET: store.path, WATCHDOG_USEC: String(WATCHDOG) },
  });
  const ended = once(daemon, 'exit').then(() => {
    throw new Error('the daemon ended before it was ready');
  });
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
  return [daemon, performance.now() - begun];
}

/** Milliseconds that Node.js takes to do nothing. */
function startNode(): number {
  const begun = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  return performance.now() - begun;
}

/** A number of /proc/PID/status. */
const statusOf = (path: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`${path}/status`, 'utf8'))?.[1]);

/** How often a process's threads waited and were woken since it began. */
const wakeUps = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => statusOf(`/proc/${pid}/task/${thread}`, 'voluntary_ctxt_switches'))
    .reduce((sum, count) => sum + count, 0);

await using bus = await startBus();
using store = new FdStore();
const node: number[] = [];
const ours: number[] = [];
for (let round = 0; round < Number(options.rounds); round += 1) {
  node.push(startNode());
  const [daemon, milliseconds] = await start(bus, store);
  ours.push(milliseconds);
  await endChild(daemon);
}
say(`node -e 0:       ${median(node).toFixed(0)} ms`);
say(`exec to READY=1: ${median(ours).toFixed(0)} ms, ${(median(ours) / median(node)).toFixed(2)} times that`);

const [daemon] = await start(bus, store);
const { pid } = daemon;
if (pid === undefined) throw new Error('the daemon has no process');
const seconds = Number(options.idle);
await pause(seconds * 1000);
const before = wakeUps(pid);
await pause(seconds * 1000);
const woken = wakeUps(pid) - before;
say(`idle:            ${(statusOf(`/proc/${pid}`, 'VmRSS') / 1024).toFixed(1)} MiB resident`);
say(`woken:           ${woken} times in ${seconds} s, ${((woken * 10) / seconds).toFixed(1)} in 10 s`);
await endChild(daemon);
