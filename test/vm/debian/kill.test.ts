import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

import { connect } from '../../../client/index.js';
import { FdStore } from '../../harness/fd-store.js';
import { startBus } from '../../harness/private-bus.js';
import { randomFrom } from '../../harness/random.js';
import { Book } from '../../kill/book.js';
import { KillClient } from '../../kill/client.js';
import { dmaBufBytes } from '../../kill/kernel-count.js';
import { expectNothingLeft, killRounds } from '../../kill/rounds.js';
import { Supervised } from '../../kill/supervised.js';
import { LOG, until } from '../rig/daemon.js';

const ROUNDS = 20;
const CLIENTS = 20;

// systemd's own store has its kills in `systemd/`.
if (process.env['DMABROKER_VM_LONG'])
  it(`loses nothing when it is killed under load (rounds: ${ROUNDS})`, async (test) => {
    const random = randomFrom(1);
    await using bus = await startBus();
    using store = new FdStore();
    const args = ['--bus', bus.address, '--state-dir', join(tmpdir(), 'kill-state')];
    await using victim = new Supervised({ store, args, log: LOG });
    await victim.start();
    const book = new Book();
    const clients: KillClient[] = [];
    for (let i = 0; i < CLIENTS; i += 1)
      clients.push(
        new KillClient({ broker: await connect({ bus: bus.address }), book, random, extend: true }),
      );
    const address = bus.address;
    await killRounds({
      ...{ rounds: ROUNDS, address, victim, clients, book, random },
      strict: true,
      count: () => dmaBufBytes(OURS),
      progress: (text) => {
        test.diagnostic(text);
      },
    });
    await expectNothingLeft({ address, clients }, () => store.kept.size);
    for (const client of clients) await client.close();
  });

it('counts what is still held after a restart of the bus, as nobody’s any more, until it is let go', async () => {
  using store = new FdStore();
  const state = join(tmpdir(), 'bus-state');
  const start = async (address: string): Promise<Supervised> => {
    const victim = new Supervised({ store, args: ['--bus', address, '--state-dir', state], log: LOG });
    await victim.start();
    return victim;
  };
  const first = await startBus();
  const lost = await start(first.address);
  const client = await connect({ bus: first.address });
  const { buffers, layout } = await client.allocate([{ device: 'cpu', uses: ['read'] }], {
    size: 65_536,
    count: 2,
  });
  // It answers, so that it knows that the buffers were sent.
  await client.status();
  await first.stop();
  assert.notEqual(await lost.ended(), 0);

  await using second = await startBus();
  await using _daemon = await start(second.address);
  await using broker = await connect({ bus: second.address });
  const [allocation] = await broker.allocations();
  assert.equal(allocation?.state, 'orphaned');
  assert.equal(allocation.layout.count, 2);
  const held = layout.size * 2n;
  assert.equal((await broker.status()).liveBytes, held);
  const [one, other] = buffers;
  one?.fd.close();
  await until(
    'the first to be free',
    async () => (await broker.status()).liveBytes === held / 2n || undefined,
  );
  other?.fd.close();
  await until('the second to be free', async () => (await broker.status()).liveBytes === 0n || undefined);
});

/** References of a buffer that nobody holds: the daemon's, and that of the store, which is this process. */
const OURS = 2;
