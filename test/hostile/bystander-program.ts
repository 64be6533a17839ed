/** Allocates, explains and releases ten times a second, and prints the milliseconds of every answer, one a line. */
import { connectBus } from '../../dbus/connection/bus.js';
import type { WireValue } from '../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../dbus/names.js';
import { closeAll } from '../../dbus/owned-fd.js';

const PERIOD_MS = 100;
const TIMEOUT_MS = 10_000;
const PAGE: WireValue = [['size', { signature: 't', value: 4096n }]];
const REQUEST = 'a(sa{sv})a{sv}';

const bus = await connectBus(process.argv[2] ?? '');
const broker = { destination: BUS_NAME, path: ROOT_PATH, interface: BROKER_INTERFACE, timeout: TIMEOUT_MS };

async function timed(member: string, signature: string, body: readonly WireValue[]) {
  const begin = performance.now();
  try {
    const reply = await bus.call({ ...broker, member, signature, body });
    closeAll(reply.fds);
    process.stdout.write(`${member} ${performance.now() - begin}\n`);
    return reply.body;
  } catch (error) {
    process.stdout.write(`${member} lost ${error instanceof Error ? error.message : ''}\n`);
    return [];
  }
}

for (;;) {
  const next = new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  const [allocation] = await timed('Allocate', REQUEST, [[['cpu', []]], PAGE]);
  await timed('Explain', REQUEST, [[['cpu', []]], PAGE]);
  if (allocation !== undefined) await timed('Release', 'o', [allocation]);
  await next;
}
