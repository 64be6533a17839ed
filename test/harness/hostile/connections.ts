import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { newMemfd } from '../sockets.js';
import { rawMessage } from '../raw-message.js';
import { times, type Attacker, type Case } from './attacker.js';
import { call, CPU, image, PAGE, request, u } from './values.js';

/** Attacks by what is done to a connection: how it begins, how it ends, what comes with it, and that nobody reads it. */

const ALLOCATE = request('Allocate', CPU, PAGE);
const SIXTEEN = request('Allocate', CPU, [...PAGE, u('count', 16)]);
const PING = call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });

/** Leaves in the middle of a message. */
const cutAt = (length: number): Case => ({
  title: `leaves after ${length} bytes of a message`,
  attack: async (attacker) => {
    const client = await attacker.connect();
    await attacker.bytes(
      client,
      rawMessage({ ...ALLOCATE, serial: client.nextSerial() }).subarray(0, length),
    );
    client.close();
  },
});

async function withFiles(count: number, use: (fds: readonly OwnedFd[]) => Promise<unknown>): Promise<void> {
  const fds = times(count, () => newMemfd());
  try {
    await use(fds);
  } finally {
    closeAll(fds);
  }
}

const sendsFiles = (count: number, member: string): Case => ({
  title: `sends ${count} descriptors with ${member}, a hundred times`,
  attack: (attacker) =>
    withFiles(count, async (fds) => {
      const client = await attacker.connect();
      const message = member === 'Ping' ? PING : request(member, CPU, PAGE);
      const extra = { code: 9, signature: 'u', value: count };
      const carrying = { ...message, fields: [...(message.fields ?? []), extra] };
      await attacker.send(
        client,
        times(100, () => carrying),
        fds,
      );
    }),
});

const authenticates = (title: string, ...lines: readonly string[]): Case => ({
  title,
  attack: async (attacker) => {
    const peer = attacker.socket();
    for (const line of lines) if (!(await attacker.bytes(peer, line))) break;
    peer.close();
  },
});

/** A connection that took no descriptors when it authenticated. */
async function withoutFiles(attacker: Attacker): Promise<ReturnType<Attacker['socket']>> {
  const peer = attacker.socket();
  await peer.send('\0AUTH EXTERNAL\r\n');
  await peer.expectLine('DATA');
  await peer.send('DATA\r\n');
  await peer.expectLine('OK');
  await peer.send('BEGIN\r\n');
  const driver = 'org.freedesktop.DBus';
  const hello = call({
    destination: driver,
    interface: driver,
    path: '/org/freedesktop/DBus',
    member: 'Hello',
  });
  await peer.answerTo(await peer.sendMessage(hello));
  return peer;
}

export const CONNECTIONS: readonly Case[] = [
  {
    title: 'opens fifty sockets and says nothing',
    attack: async (attacker) => Promise.resolve(times(50, () => attacker.socket())),
  },
  authenticates('sends an end of line and leaves', '\0\r\n'),
  authenticates('sends noise in place of a greeting', Buffer.alloc(4096, 0x7f).toString('latin1')),
  authenticates('sends a greeting of a mebibyte', `\0AUTH ${'A'.repeat(2 ** 20)}\r\n`),
  authenticates('says that it is uid 0', '\0AUTH EXTERNAL 30\r\n', 'BEGIN\r\n'),
  authenticates('wants to be anonymous', '\0AUTH ANONYMOUS\r\n', 'BEGIN\r\n'),
  authenticates('begins before it is let in', '\0BEGIN\r\n', rawMessage(ALLOCATE).toString('latin1')),
  {
    title: 'says Hello twice',
    attack: async (attacker) => {
      const client = await attacker.connect();
      await client.callDriver('Hello').catch(() => undefined);
    },
  },
  {
    title: 'comes and goes a hundred times',
    attack: async (attacker) => {
      for (let i = 0; i < 100; i++) (await attacker.connect()).close();
    },
  },
  {
    title: 'asks and leaves at once, a hundred times',
    attack: async (attacker) => {
      for (let i = 0; i < 100; i++) {
        const client = await attacker.connect();
        await attacker.send(client, [SIXTEEN]);
        client.close();
      }
    },
  },
  {
    title: 'opens a hundred connections that all leave with what they asked for under way',
    attack: async (attacker) => {
      const clients = await attacker.connections(100);
      await Promise.all(clients.map((client) => attacker.send(client, [ALLOCATE])));
      for (const client of clients) client.close();
    },
  },
  {
    title: 'opens a hundred connections that each hold a buffer, and ends all of them at once',
    attack: async (attacker) => {
      const clients = await attacker.connections(100);
      for (const client of clients) await attacker.send(client, [ALLOCATE]);
      for (const client of clients) await attacker.read(client, 1);
    },
  },
  ...[1, 12, 16, 17, 100].map(cutAt),
  {
    title: 'sends a message byte by byte',
    attack: async (attacker) => {
      const client = await attacker.connect();
      const bytes = rawMessage({ ...ALLOCATE, serial: client.nextSerial() });
      for (let i = 0; i < bytes.length; i++) await attacker.bytes(client, bytes.subarray(i, i + 1));
      await attacker.read(client, 1);
    },
  },
  {
    title: 'keeps twenty half messages open',
    attack: async (attacker) => {
      const half = rawMessage({ ...ALLOCATE, serial: 7 }).subarray(0, 60);
      for (const client of await attacker.connections(20)) await attacker.bytes(client, half);
    },
  },
  {
    title: 'announces 100 MiB, sends one and leaves',
    attack: async (attacker) => {
      const client = await attacker.connect();
      await attacker.bytes(client, rawMessage({ ...ALLOCATE, serial: 9, bodyLength: 100 * 2 ** 20 }));
      await attacker.bytes(client, Buffer.alloc(2 ** 20));
    },
  },
  ...[1, 16].flatMap((count) => ['Allocate', 'Explain', 'Ping'].map((member) => sendsFiles(count, member))),
  {
    title: 'sends more descriptors than a message may have',
    attack: (attacker) =>
      withFiles(64, async (fds) => {
        const extra = { code: 9, signature: 'u', value: fds.length };
        const client = await attacker.connect();
        await attacker.send(client, [{ ...ALLOCATE, fields: [...(ALLOCATE.fields ?? []), extra] }], fds);
      }),
  },
  {
    title: 'sends descriptors that its message does not tell of',
    attack: (attacker) =>
      withFiles(4, async (fds) => {
        await attacker.send(await attacker.connect(), [ALLOCATE], fds);
      }),
  },
  {
    title: 'tells of descriptors that it does not send',
    attack: async (attacker) => {
      const extra = { code: 9, signature: 'u', value: 3 };
      const client = await attacker.connect();
      await attacker.send(client, [{ ...ALLOCATE, fields: [...(ALLOCATE.fields ?? []), extra] }]);
    },
  },
  {
    title: 'asks for buffers that its connection cannot carry',
    attack: async (attacker) => {
      // The bus tells the daemon that it cannot deliver, and the client nothing at all.
      await attacker.send(
        await withoutFiles(attacker),
        times(20, () => SIXTEEN),
      );
    },
  },
  {
    title: 'asks for 1,600 descriptors and reads no answer',
    attack: async (attacker) =>
      attacker.send(
        await attacker.connect(),
        times(100, () => SIXTEEN),
      ),
  },
  {
    title: 'asks for 1,600 descriptors, reads half of them and leaves',
    attack: async (attacker) => {
      const client = await attacker.connect();
      await attacker.send(
        client,
        times(100, () => SIXTEEN),
      );
      await attacker.read(client, 50);
    },
  },
  {
    title: 'stops reading in the middle of large answers',
    attack: async (attacker) => {
      const client = await attacker.connect();
      const face = 'org.freedesktop.DBus.ObjectManager';
      await attacker.send(
        client,
        times(100, () => call({ interface: face, member: 'GetManagedObjects' })),
      );
      await attacker.read(client, 3);
    },
  },
  {
    title: 'takes all that its user may have, and leaves',
    attack: async (attacker) => {
      const client = await attacker.connect();
      const large = request('Allocate', CPU, image(u('width', 2048), u('height', 2048), u('count', 4)));
      await attacker.send(
        client,
        times(100, () => large),
      );
      await attacker.read(client, 100);
    },
  },
];
