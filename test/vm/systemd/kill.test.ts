import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { connect, type Allocation } from '../../../client/index.js';
import { randomFrom } from '../../harness/random.js';
import { Book } from '../../kill/book.js';
import { KillClient } from '../../kill/client.js';
import { dmaBufBytes } from '../../kill/kernel-count.js';
import { expectNothingLeft, killRounds } from '../../kill/rounds.js';
import { nothingLives } from '../rig/daemon.js';
import { localPolicy } from '../rig/local-policy.js';
import { DAEMON } from '../rig/unit.js';

const ROUNDS = 1;
const CLIENTS = 20;
/** Milliseconds for a call that waits for the daemon's start. */
const TIMEOUT = 120_000;
/** Whether the run may take long (`--long`). */
const LONG = Boolean(process.env['DMABROKER_VM_LONG']);
/** References of a buffer that nobody holds: the daemon's, and systemd's. */
const OURS = 2;
const CPU = [{ device: 'cpu', uses: ['read', 'write'] }] as const;

const stored = async (): Promise<number> => Number(await DAEMON.property('NFileDescriptorStore'));

describe('with the descriptors that systemd keeps', () => {
  let dropIn: Disposable;
  before(async () => {
    await DAEMON.stop();
    dropIn = localPolicy('[Quota]\nClientBuffers=4096\nBuffers=4096\nUnitBuffers=4096\n');
    await DAEMON.start();
  });
  after(async () => {
    dropIn[Symbol.dispose]();
    await DAEMON.stop();
  });

  it(`a daemon that is killed under load loses nothing (rounds: ${ROUNDS})`, async (test) => {
    const random = randomFrom(2);
    const book = new Book();
    const clients: KillClient[] = [];
    for (let i = 0; i < CLIENTS; i += 1)
      clients.push(
        new KillClient({ broker: await connect({ timeout: TIMEOUT }), book, random, extend: true }),
      );
    const restarts = Number(await DAEMON.property('NRestarts'));
    let kills = 0;
    const victim = {
      pid: async () => (await DAEMON.mainPid()) ?? 0,
      kill: async () => {
        await DAEMON.kill('SIGKILL');
        kills += 1;
      },
      start: async () => {
        await DAEMON.becomes('NRestarts', String(restarts + kills));
        await DAEMON.becomes('ActiveState', 'active');
      },
    };
    await killRounds({
      ...{ rounds: ROUNDS, address: 'system', victim, clients, book, random },
      strict: true,
      count: () => dmaBufBytes(OURS),
      progress: (text) => {
        test.diagnostic(text);
      },
    });
    const kept = await stored();
    await expectNothingLeft({ address: 'system', clients }, () => 0);
    test.diagnostic(`${kept} descriptors were kept at the end, ${await stored()} when all was released`);
    for (const client of clients) await client.close();
  });

  // What is measured here changes seldom.
  if (LONG)
    it('costs systemd little for each, however many it has', async (test) => {
      const batch = 512;
      await using broker = await connect({ timeout: TIMEOUT });
      const costs: number[] = [];
      const allocations: Allocation[] = [];
      for (let i = 0; i < 4; i += 1) {
        const [before, busy] = [await stored(), processorTime()];
        allocations.push(await broker.allocate(CPU, { size: 4096, count: batch }));
        // Some lay ready, and were kept already.
        const more = (await stored()) - before;
        assert(more > batch / 2, `${more} of ${batch} are kept`);
        costs.push((processorTime() - busy) / more);
      }
      const texts = costs.map((cost, i) => `${cost.toFixed(2)} ms from ${i * batch}`);
      test.diagnostic(`processor time of systemd for one descriptor: ${texts.join(', ')}`);
      assert((await stored()) >= 4 * batch);
      await Promise.all(allocations.map((allocation) => allocation.release()));
      await nothingLives(broker);
    });
});

/** Milliseconds of processor that the first process has used (proc_pid_stat(5): utime and stime, in hundredths). */
function processorTime(): number {
  const fields = readFileSync('/proc/1/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
