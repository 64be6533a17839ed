/**
 * npm run test:hostile [-- --seconds N] [--bus KIND] [--program FILE] [ATTACK…]
 *
 * Attacks the daemon as one user while another allocates, explains and releases ten times a second, and prints how long
 * that one waits. Ends with 1 where an answer was lost or took longer than what is promised.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { connectBus } from '../../dbus/connection/bus.js';
import { BusCallError } from '../../dbus/connection/bus-types.js';
import { BUS_NAME } from '../../dbus/names.js';
import { NOTHING_READY, writePolicy } from '../harness/root-policy.js';
import { busKinds, endChild, startBus, type BusKind, type PrivateBus } from '../harness/private-bus.js';
import { shippedConfig } from '../harness/shipped-config.js';
import { ATTACKS, PAIRS } from './attacks.js';

const NOBODY = { uid: 65_534, gid: 65_534 };
const ANOTHER = { uid: 2, gid: 2 };
/** Milliseconds that an attacker has to end. */
const END_TIMEOUT_MS = 2000;
const BYSTANDER = { uid: 1, gid: 1 };
/** Milliseconds that are always good enough; else three and ten times what it is without an attack. */
const BOUND = { median: 50, p99: 400 } as const;
const PROFILE = fileURLToPath(
  new URL('../../../test/fixtures/profiles/raspberry-pi-4.json', import.meta.url),
);
const RULES = new URL('../../../dbus/org.dmabroker1.conf', import.meta.url);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    bus: { type: 'string' },
    program: { type: 'string', default: fileURLToPath(new URL('../../daemon/main.js', import.meta.url)) },
  },
});

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Runs a program of this directory as another user. */
const runAs = (
  who: { uid: number; gid: number },
  program: string,
  ...args: readonly string[]
): ChildProcess =>
  spawn(process.execPath, [at(program), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(process.geteuid?.() === 0 ? who : {}),
  });

interface Figures {
  readonly answers: number;
  readonly lost: number;
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
}

/** Collects a bystander's lines. */
class Bystander {
  readonly #child: ChildProcess;
  #times: number[] = [];
  #lost: string[] = [];

  constructor(address: string) {
    this.#child = runAs(BYSTANDER, 'bystander-program.js', address);
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the bystander has no output');
    createInterface(stdout).on('line', (line) => {
      const [, taken = ''] = line.split(' ');
      if (taken === 'lost') this.#lost.push(line);
      else this.#times.push(Number(taken));
    });
  }

  /** Waits until so many answers have come since the last look. */
  async answered(count: number): Promise<void> {
    while (this.#times.length < count) await pause(20);
  }

  /** What came since the last look. */
  take(): Figures {
    const times = this.#times.toSorted((one, other) => one - other);
    const lost = this.#lost;
    [this.#times, this.#lost] = [[], []];
    for (const line of lost.slice(0, 3)) process.stdout.write(`    ${line}\n`);
    const part = (share: number): number => times[Math.ceil(times.length * share) - 1] ?? Infinity;
    const figures = { median: part(0.5), p99: part(0.99), longest: part(1) };
    return { answers: times.length, lost: lost.length, ...figures };
  }

  end(): void {
    this.#child.kill();
  }
}

const fds = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
const residentMib = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Starts the daemon and waits until it has its name. */
async function started(
  address: string,
  root: string,
): Promise<{ readonly child: ChildProcess; readonly pid: number }> {
  const args = [
    values.program,
    '--bus',
    address,
    '--profile',
    PROFILE,
    '--root',
    root,
    '--log-level',
    'warn',
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error('the daemon did not start');
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}`);
    try {
      await targetOf(address);
      return { child, pid };
    } catch (error) {
      if (!(error instanceof BusCallError)) throw error;
      await pause(50);
    }
  }
}

async function targetOf(address: string): Promise<string> {
  const bus = await connectBus(address);
  const driver = 'org.freedesktop.DBus';
  const about = { path: '/org/freedesktop/DBus', interface: driver, member: 'GetNameOwner' };
  try {
    const call = { destination: driver, ...about, signature: 's', body: [BUS_NAME] };
    const [owner] = (await bus.call(call)).body;
    return typeof owner === 'string' ? owner : '';
  } finally {
    await bus.close();
  }
}

const shown = ({ answers, lost, median, p99, longest }: Figures): string =>
  `${answers} answers, ${lost} lost, median ${median.toFixed(1)}, p99 ${p99.toFixed(0)}, longest ${longest.toFixed(0)} ms`;

async function attacked(
  name: string,
  bus: PrivateBus,
  daemon: { readonly pid: number },
  bystander: Bystander,
) {
  const before = { fds: fds(daemon.pid), rss: residentMib(daemon.pid) };
  await bystander.answered(30);
  const calm = bystander.take();
  const target = await targetOf(bus.address);
  const attackers = (PAIRS[name] ?? [name]).map((one, index) =>
    runAs(index === 0 ? NOBODY : ANOTHER, 'attacker-program.js', one, bus.address, target),
  );
  // From the start, because one may end by itself.
  const gone = attackers.map((attacker) => once(attacker, 'exit'));
  await Promise.all(
    attackers.map(async ({ stdout }) => {
      if (stdout !== null) await once(stdout, 'data');
    }),
  );
  bystander.take();
  await pause(Number(values.seconds) * 1000);
  const during = bystander.take();
  for (const { stdin } of attackers) stdin?.end();
  // One that is stuck in sending does not hear that it is over.
  const late = setTimeout(() => {
    for (const attacker of attackers) attacker.kill('SIGKILL');
  }, END_TIMEOUT_MS);
  await Promise.all(gone);
  clearTimeout(late);
  await pause(2000);
  const after = bystander.take();
  const isKept =
    during.lost + after.lost === 0 &&
    during.median < Math.max(BOUND.median, 3 * calm.median) &&
    during.p99 < Math.max(BOUND.p99, 10 * calm.p99);
  const memory = `${before.rss.toFixed(0)} -> ${residentMib(daemon.pid).toFixed(0)} MiB`;
  process.stdout.write(
    `${isKept ? 'kept  ' : 'BROKEN'} ${bus.kind} ${name}\n    calm   ${shown(calm)}\n    during ${shown(during)}\n` +
      `    after  ${shown(after)}; ${before.fds} -> ${fds(daemon.pid)} descriptors, ${memory}\n`,
  );
  return isKept;
}

async function attackedOn(kind: BusKind): Promise<number> {
  let broken = 0;
  const root = mkdtempSync(join(tmpdir(), 'dmabroker-hostile-'));
  writePolicy(root, NOTHING_READY);
  const names = positionals.length === 0 ? [...Object.keys(ATTACKS), ...Object.keys(PAIRS)] : positionals;
  for (const name of names) {
    await using bus = await startBus({ kind, shared: true, config: shippedConfig(RULES) });
    const daemon = await started(bus.address, root);
    const bystander = new Bystander(bus.address);
    try {
      if (!(await attacked(name, bus, daemon, bystander))) broken += 1;
    } finally {
      bystander.end();
      await endChild(daemon.child);
    }
  }
  rmSync(root, { recursive: true });
  return broken;
}

let broken = 0;
for (const kind of busKinds())
  if (values.bus === undefined || values.bus === kind) broken += await attackedOn(kind);
process.stdout.write(broken === 0 ? 'every promise was kept\n' : `${broken} promises were broken\n`);
process.exitCode = broken === 0 ? 0 : 1;
