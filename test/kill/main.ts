/**
 * `npm run test:kill [-- --rounds N --seed N]`: kills the daemon at random moments under load from many clients, starts it
 * again as systemd does, and looks each time whether anything is lost or counted wrongly.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { connect } from '../../client/index.js';
import { FdStore } from '../harness/fd-store.js';
import { startBus } from '../harness/private-bus.js';
import { randomFrom } from '../harness/random.js';
import { writePolicy } from '../harness/root-policy.js';
import { Book } from './book.js';
import { KillClient } from './client.js';
import { expectChannels, expectNothingLeft, killRounds } from './rounds.js';
import { Supervised } from './supervised.js';

const CLIENTS = 20;
const PROFILE = fileURLToPath(
  new URL('../../../test/fixtures/profiles/raspberry-pi-4.json', import.meta.url),
);
/** One user has all of these clients, and asks as fast as it can. */
const POLICY = '[Quota]\nRate=1000000\nBurst=1000000\n';

const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } });
const rounds = Number(values.rounds ?? '20');
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  process.stderr.write('test:kill: --rounds takes a number from 1\n');
  process.exit(2);
}

const directory = mkdtempSync(join(tmpdir(), 'dmabroker-kill-'));
const log = join(directory, 'daemon.log');
process.stdout.write(`${rounds} rounds, seed ${seed}, ${CLIENTS} clients on plain memory\n`);
try {
  await run();
  rmSync(directory, { recursive: true });
  process.stdout.write('nothing was lost\n');
} catch (error) {
  process.stderr.write(
    `test:kill: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.stderr.write(
    `again: npm run test:kill -- --rounds ${rounds} --seed ${seed}; the daemon's log is ${log}\n`,
  );
  process.exit(1);
}

async function run(): Promise<void> {
  const random = randomFrom(seed);
  await using bus = await startBus();
  using store = new FdStore();
  writePolicy(directory, POLICY);
  const state = join(directory, 'state');
  const args = ['--bus', bus.address, '--profile', PROFILE, '--root', directory, '--state-dir', state];
  await using victim = new Supervised({ store, args, log });
  await victim.start();
  const book = new Book();
  const clients: KillClient[] = [];
  for (let i = 0; i < CLIENTS; i += 1) {
    // Half of them stay on the bus; the others leave it after each first allocation of a daemon.
    const broker = await connect({ bus: bus.address, channel: i % 2 === 1 });
    // Nobody can tell who has plain memory, so that of what was being sent only the sender knows.
    clients.push(new KillClient({ broker, book, random, extend: false }));
  }
  const address = bus.address;
  await killRounds({
    ...{ rounds, address, victim, clients, book, random },
    strict: false,
    progress: (text) => process.stdout.write(`${text}\n`),
  });
  await expectChannels(address);
  await expectNothingLeft({ address, clients }, () => store.kept.size);
  for (const client of clients) await client.close();
}
