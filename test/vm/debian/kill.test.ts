import { readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

import { connect } from '../../../client/index.js';
import { FdStore } from '../../harness/fd-store.js';
import { startBus } from '../../harness/private-bus.js';
import { randomFrom } from '../../harness/random.js';
import { Book } from '../../kill/book.js';
import { KillClient } from '../../kill/client.js';
import { expectNothingLeft, killRounds } from '../../kill/rounds.js';
import { Supervised } from '../../kill/supervised.js';
import { LOG } from '../rig/daemon.js';

const ROUNDS = 4;
const CLIENTS = 20;

it(`loses nothing when it is killed ${ROUNDS} times under load`, async (test) => {
  const random = randomFrom(1);
  await using bus = await startBus();
  using store = new FdStore();
  const args = ['--bus', bus.address, '--state-dir', join(tmpdir(), 'kill-state')];
  await using victim = new Supervised({ store, args, log: LOG });
  await victim.start();
  const book = new Book();
  const clients: KillClient[] = [];
  for (let i = 0; i < CLIENTS; i += 1)
    clients.push(new KillClient({ broker: await connect({ bus: bus.address }), book, random, extend: true }));
  const address = bus.address;
  await killRounds({
    ...{ rounds: ROUNDS, address, victim, clients, book, random },
    strict: true,
    count: () => dmaBufBytes(),
    progress: (text) => {
      test.diagnostic(text);
    },
  });
  await expectNothingLeft({ address, clients }, () => store.kept.size);
  for (const client of clients) await client.close();
});

/**
 * Bytes of all buffers that this process has beside the store's copies, as the kernel counts them: whose references are
 * more than the daemon's descriptor and the store's copy.
 */
function dmaBufBytes(): bigint {
  const buffers = new Map<bigint, bigint>();
  for (const fd of readdirSync('/proc/self/fd')) {
    const info = read(`/proc/self/fdinfo/${fd}`);
    const [, size] = /^size:\s*(\d+)$/m.exec(info) ?? [];
    const [, count] = /^count:\s*(\d+)$/m.exec(info) ?? [];
    if (size === undefined || Number(count) <= OURS) continue;
    buffers.set(statSync(`/proc/self/fd/${fd}`, { bigint: true }).ino, BigInt(size));
  }
  return [...buffers.values()].reduce((sum, size) => sum + size, 0n);
}

/** References of a buffer that nobody holds: the daemon's, and that of the store, which is this process. */
const OURS = 2;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
