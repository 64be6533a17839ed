import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { CASES, type Attack, type Orders } from '../harness/hostile/run.js';
import { shippedConfig } from '../harness/shipped-config.js';
import { HostileRig } from './hostile-rig.js';
import { until } from './until.js';
import { measure, MEASURABLE } from '../harness/memory-growth.js';

const PROGRAM = fileURLToPath(new URL('../../dist/test/vm/rig/hostile.js', import.meta.url));
const NOBODY = 65_534;
const TIMEOUT = 280_000;

/** Milliseconds within which somebody ordinary is answered, whatever others do: the slowest one, too, on a machine that does nothing else. */
const BOUND = 100;
const SLOWEST = 2 * BOUND;
/** So often it is tried, because a machine that does much else can make anything late; what is slow is so each time. */
const TRIES = 3;
/** Bytes by which the daemon's own memory may differ between two runs: what it remembers of requests has its bounds. */
const FLUCTUATION = 4 * 2 ** 20;

const RULES = new URL('../../dbus/org.dmabroker1.conf', import.meta.url);
/** Nothing is refused for the number of requests alone. */
const POLICY = '[Quota]\nRate=100000\nBurst=100000\n';

let rig: HostileRig;
beforeAll(async () => {
  rig = await HostileRig.start(
    { shared: true, config: shippedConfig(RULES) },
    { policy: POLICY, env: MEASURABLE },
  );
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

/** Runs every hostile client in a process of its own, of another user where that can be. */
async function attack(): Promise<readonly Attack[]> {
  const other = process.geteuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const who = JSON.stringify({ address: rig.bus.address, target: rig.target } satisfies Orders);
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, who], other);
  return JSON.parse(stdout) as Attack[];
}

/** An answer that came. */
interface Answer {
  /** Milliseconds since the epoch. */
  readonly asked: number;
  /** Milliseconds that it took. */
  readonly taken: number;
}

async function answer(what: () => Promise<unknown>): Promise<Answer> {
  const [asked, start] = [Date.now(), performance.now()];
  await what();
  return { asked, taken: performance.now() - start };
}

interface Answers {
  /** From the shortest to the longest. */
  readonly daemon: readonly Answer[];
  /** The same of the bus itself, as much as the machine and the bus are to blame. */
  readonly bus: readonly Answer[];
}

/** Allocates and releases as somebody ordinary, again and again, for as long as something takes. */
async function askDuring(what: Promise<unknown>): Promise<Answers> {
  const daemon: Answer[] = [];
  const bus: Answer[] = [];
  const over = new AbortController();
  const end = what.finally(() => {
    over.abort();
  });
  end.catch(() => undefined);
  while (!over.signal.aborted) {
    bus.push(await answer(() => rig.askBus()));
    const allocation = rig.allocate();
    daemon.push(await answer(() => allocation));
    const { path } = await allocation;
    daemon.push(await answer(() => rig.broker('Release', 'o', [path])));
  }
  await end;
  const sorted = (answers: Answer[]): Answer[] => answers.toSorted((one, other) => one.taken - other.taken);
  return { daemon: sorted(daemon), bus: sorted(bus) };
}

const at = (answers: readonly Answer[], part: number): number =>
  answers[Math.ceil(answers.length * part) - 1]?.taken ?? 0;

/** Who attacked while the slowest answers were waited for. */
const blame = (attacks: readonly Attack[], answers: readonly Answer[]): readonly string[] =>
  answers.slice(-8).map(({ asked, taken }) => {
    const during = attacks.filter(({ begin, end }) => begin <= asked + taken && asked <= end);
    return `${Math.round(taken)} ms: ${during.map(({ title }) => title).join(', ')}`;
  });

it('are many, and each is another', () => {
  const titles = CASES.map(({ title }) => title);
  expect(new Set(titles).size).toBe(titles.length);
  expect(titles.length).toBeGreaterThanOrEqual(60);
});

interface Attacked {
  /** Everybody was answered in time; what the bus itself needed is no delay of ours. */
  readonly inTime: boolean;
  /** What was measured, for a person. */
  readonly figures: string;
}

/** Attacks while somebody ordinary asks. */
async function attacked(): Promise<Attacked> {
  const attacking = attack();
  const busy = await askDuring(attacking);
  const attacks = await attacking;
  expect(attacks).toHaveLength(CASES.length);
  const summary = (answers: readonly Answer[]): { median: number; p99: number; longest: number } => ({
    median: at(answers, 0.5),
    p99: at(answers, 0.99),
    longest: at(answers, 1),
  });
  const [daemon, bus] = [summary(busy.daemon), summary(busy.bus)];
  const figures =
    `${busy.daemon.length} calls of another user were answered during ${attacks.length} attacks, in ` +
    `${milliseconds(daemon.median)} (median), ${milliseconds(daemon.p99)} (99 %), ${milliseconds(daemon.longest)} at most; ` +
    `the bus alone took ${milliseconds(bus.median)}, ${milliseconds(bus.p99)}, ${milliseconds(bus.longest)}; ` +
    `slowest: ${blame(attacks, busy.daemon).join('; ')}`;
  const inTime = daemon.p99 < BOUND + bus.p99 && daemon.longest < SLOWEST + bus.longest;
  return { inTime, figures };
}

const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;

it(
  'leave the daemon as it was, and it answers others meanwhile',
  { timeout: TIMEOUT },
  async ({ onTestFailed }) => {
    onTestFailed(() => {
      process.stderr.write(rig.daemon.log().slice(-4000));
    });
    const held = await rig.allocate();
    await attack();
    const before = await measure(rig.daemon, until);
    let seen = await attacked();
    for (let tries = 1; tries < TRIES && !seen.inTime; tries++) seen = await attacked();
    // Nobody could end what somebody ordinary held all the time.
    expect(await rig.property('LiveBuffers')).toBe(1n);
    await rig.broker('Release', 'o', [held.path]);
    await rig.expectUnharmed();
    const growth = (await measure(rig.daemon, until)).held - before.held;

    expect(seen.inTime, seen.figures).toBe(true);
    expect(growth).toBeLessThan(FLUCTUATION);
    expect(rig.daemon.log()).not.toMatch(/"level":(?:50|60)/);
  },
);
