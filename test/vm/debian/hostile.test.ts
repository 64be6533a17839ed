import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { connectBus } from '../../../dbus/connection/bus.js';
import { BUS_NAME } from '../../../dbus/names.js';
import type { Attack, Orders } from '../../harness/hostile/run.js';
import { measure, MEASURABLE } from '../../harness/memory-growth.js';
import { shippedConfig } from '../../harness/shipped-config.js';
import { nothingLives, openFds, startDaemon, until, type RunningDaemon } from '../rig/daemon.js';
import { localPolicy } from '../rig/local-policy.js';
import { asNobody } from '../rig/nobody.js';

/** Of the hostile clients, all of which the host runs, those that touch real buffers or another user's, and some of each kind. */
const TITLES = [
  'takes all that its user may have, and leaves',
  'opens a hundred connections that each hold a buffer, and ends all of them at once',
  'asks and leaves at once, a hundred times',
  'asks for the largest requests there can be',
  'asks for 1,600 descriptors, reads half of them and leaves',
  'labels buffers with what a terminal or a list would do',
  'names files as devices',
  'guesses a thousand allocations to release',
  'lists everything, and asks to see what others have',
  'sends 16 descriptors with Explain, a hundred times',
  'sends a thousand signals',
  'asks for a thousand reloads',
];
/** From the build. */
const RULES = new URL('../../../../dbus/org.dmabroker1.conf', import.meta.url);
/** Bytes by which the daemon's own memory may differ: what it remembers of requests has its bounds. */
const FLUCTUATION = 4 * 2 ** 20;
const PAGE = { size: 4096 } as const;
const CPU = [{ device: 'cpu', uses: ['read', 'write'] }] as const;

let daemon: RunningDaemon;
before(async () => {
  using _policy = localPolicy('[Pool scattered]\nWarm=0\n[Quota]\nRate=100000\nBurst=100000\n');
  daemon = await startDaemon([], { env: MEASURABLE, config: shippedConfig(RULES) });
});
after(() => daemon[Symbol.asyncDispose]());

/** Unique name of the daemon. */
async function target(): Promise<string> {
  const bus = await connectBus(daemon.bus.address);
  try {
    const driver = 'org.freedesktop.DBus';
    const about = { signature: 's', body: [BUS_NAME] };
    const where = { destination: driver, path: '/org/freedesktop/DBus', interface: driver };
    const { body } = await bus.call({ ...where, member: 'GetNameOwner', ...about });
    const [owner] = body;
    assert(typeof owner === 'string');
    return owner;
  } finally {
    await bus.close();
  }
}

async function attack(titles: readonly string[]): Promise<readonly Attack[]> {
  const orders: Orders = { address: daemon.bus.address, target: await target(), titles };
  return (await asNobody('hostile', orders)) as readonly Attack[];
}

describe('hostile clients of another user', () => {
  it('take nothing from anybody, and leave the daemon as it was', async (test) => {
    const { broker } = daemon;
    const said = daemon.log().length;
    await using held = await broker.allocate(CPU, PAGE);
    // What is remembered of such clients, and what their requests have compiled, is there afterwards.
    await attack(TITLES);
    const [fds, memory] = [openFds(daemon.pid), await measure(daemon, until)];

    const end = new AbortController();
    const attacks = attack(TITLES).finally(() => {
      end.abort();
    });
    attacks.catch(() => undefined);
    const answers: { readonly at: number; readonly took: number }[] = [];
    while (!end.signal.aborted) {
      const at = Date.now();
      await (await broker.allocate(CPU, PAGE)).release();
      answers.push({ at, took: Date.now() - at });
    }
    const over = await attacks;

    assert.deepEqual(over.map(({ title }) => title).toSorted(), TITLES.toSorted());
    const took = answers.map((answer) => answer.took).toSorted((a, b) => a - b);
    const slowest = answers.find((answer) => answer.took === took.at(-1));
    const during = over.filter(
      ({ begin, end }) => slowest !== undefined && begin <= slowest.at + slowest.took && slowest.at <= end,
    );
    const seconds = over.reduce((sum, { begin, end }) => sum + end - begin, 0) / 1000;
    test.diagnostic(
      `${over.length} attacks in ${Math.round(seconds)} s; ${took.length} answers meanwhile, ` +
        `in ${took[Math.floor(took.length / 2)]} ms, ${took.at(-1)} ms at most, while one ` +
        during.map(({ title }) => title).join(' and '),
    );
    // Somebody ordinary had an answer while each of those was at work that took longer than a call.
    const call = took[Math.floor(took.length / 2)] ?? Infinity;
    for (const { title, begin, end: ended } of over)
      if (ended - begin > 10 * call)
        assert(
          answers.some(({ at, took: long }) => begin < at + long && at + long < ended),
          `nobody was answered while one ${title}`,
        );
    assert.equal(held.state, 'held');
    await held.release();
    await nothingLives(broker);
    await until('descriptors are closed', () => (openFds(daemon.pid) < fds ? true : undefined));
    const growth = (await measure(daemon, until)).held - memory.held;
    assert(growth < FLUCTUATION, `it holds ${growth} bytes more`);
    assert.doesNotMatch(daemon.log().slice(said), /"level":(?:50|60)/);
  });
});
