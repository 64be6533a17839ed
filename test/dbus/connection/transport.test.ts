import { fstatSync, readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { MessageSocket, type FdStream } from '../../../dbus/connection/socket.js';
import { CHANNEL_TERMS, Transport, type TransportTerms } from '../../../dbus/connection/transport.js';
import { BusClosedError } from '../../../dbus/connection/bus-types.js';
import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { gate, until } from '../../harness/gate.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import { newMemfd, socketPair } from '../../harness/sockets.js';

const inode = (fd: OwnedFd): number => fstatSync(fd.number).ino;

interface Side {
  readonly transport: Transport;
  readonly peer: MessageSocket;
  readonly got: { bytes: Buffer; fds: readonly OwnedFd[] }[];
  readonly closed: Promise<BusClosedError | undefined>;
}

/** A transport on one end of a socket pair, and the bare socket of the other end, which reads only when told. */
function pair(terms?: TransportTerms): Side {
  const [ours, theirs] = socketPair();
  const closed = gate<BusClosedError | undefined>();
  const got: Side['got'] = [];
  const transport = new Transport(
    new MessageSocket(ours),
    {
      received: (bytes, fds) => {
        got.push({ bytes: Buffer.from(bytes), fds });
        return false;
      },
      closed: (reason) => {
        closed.open(reason);
      },
    },
    terms,
  );
  return { transport, peer: new MessageSocket(theirs), got, closed: closed.opened };
}

test('a peer that does not read: everything waits in order, and each message gets its own fds in the end', async () => {
  const before = openFds();
  const { transport, peer, closed } = pair();
  const bytes: Buffer[] = [];
  const inodes: number[] = [];
  for (let i = 0; i < 300; i++) {
    const fds = Array.from({ length: i % 3 }, () => newMemfd());
    inodes.push(...fds.map(inode));
    bytes.push(Buffer.alloc(1000 + i, i));
    transport.send({ bytes: Buffer.alloc(1000 + i, i), fds });
  }
  const expected = Buffer.concat(bytes);
  const got = await readAll(peer, expected.length);
  expect(got.bytes.equals(expected)).toBe(true);
  expect(got.fds.map(inode)).toEqual(inodes);
  closeAll(got.fds);
  await transport.emptied();
  transport.close();
  expect(await closed).toBeUndefined();
  peer.close();
  await expectNoNewFds(before);
});

/** Reads from the bare socket until that many bytes have come. */
async function readAll(peer: MessageSocket, length: number): Promise<{ bytes: Buffer; fds: OwnedFd[] }> {
  const pieces: Buffer[] = [];
  const fds: OwnedFd[] = [];
  for (let left = length; left > 0;) {
    const received = peer.receive();
    if (received === 'end') throw new Error('ended early');
    if (received === 'blocked') await nextTurn();
    else {
      pieces.push(Buffer.from(received.bytes));
      fds.push(...received.fds);
      left -= received.bytes.length;
    }
  }
  return { bytes: Buffer.concat(pieces), fds };
}

test('with much waiting to be sent, nothing more is read until it has gone', async () => {
  const { transport, peer, got } = pair();
  transport.send({ bytes: Buffer.alloc(4 * 2 ** 20), fds: [] });
  peer.send(Buffer.from('more'), []);
  for (let i = 0; i < 20; i++) await nextTurn();
  expect(got).toEqual([]);
  await readAll(peer, 4 * 2 ** 20);
  await until(() => got.length > 0);
  expect(got[0]?.bytes.toString()).toBe('more');
  transport.close();
  peer.close();
});

test('a peer that never reads is given up at 64 MiB, and what waited is closed', async () => {
  const before = openFds();
  const { transport, peer, closed } = pair();
  transport.send({ bytes: Buffer.alloc(2 ** 20), fds: [] });
  transport.send({ bytes: Buffer.alloc(64), fds: [newMemfd()] });
  transport.send({ bytes: Buffer.alloc(64 * 2 ** 20), fds: [newMemfd()] });
  expect((await closed)?.reason).toBe('not-reading');
  expect(() => {
    transport.send({ bytes: Buffer.alloc(1), fds: [] });
  }).toThrow(BusClosedError);
  peer.close();
  await expectNoNewFds(before);
});

test('what the kernel has no room for is sent later, although the socket will not tell when', async () => {
  const [ours, theirs] = socketPair();
  const socket = new MessageSocket(ours);
  let refusals = 3;
  const scarce: FdStream = {
    fd: socket.fd,
    send: (bytes, fds) => (refusals-- > 0 ? 'exhausted' : socket.send(bytes, fds)),
    receive: () => socket.receive(),
    allRead: () => socket.allRead(),
    close: () => {
      socket.close();
    },
  };
  const transport = new Transport(scarce, { received: () => false, closed: () => undefined });
  const fd = newMemfd();
  const expected = inode(fd);
  transport.send({ bytes: Buffer.from('one'), fds: [fd] });
  transport.send({ bytes: Buffer.from('two'), fds: [] });
  expect(fd.open).toBe(true);
  const peer = new MessageSocket(theirs);
  const got = await readAll(peer, 6);
  expect(got.bytes.toString()).toBe('onetwo');
  expect(got.fds.map(inode)).toEqual([expected]);
  closeAll(got.fds);
  transport.close();
  peer.close();
});

test('what is added to a queue that is stuck counts for reading, too', async () => {
  const { transport, peer, got } = pair();
  for (let i = 0; i < 40; i++) transport.send({ bytes: Buffer.alloc(65_536), fds: [] });
  peer.send(Buffer.from('more'), []);
  for (let i = 0; i < 20; i++) await nextTurn();
  expect(got).toEqual([]);
  transport.close();
  peer.close();
});

test('what the peer sent before it closed is read, then the end is told once', async () => {
  const { transport, peer, got, closed } = pair();
  peer.send(Buffer.from('last words'), []);
  peer.close();
  expect((await closed)?.reason).toBe('ended');
  expect(Buffer.concat(got.map(({ bytes }) => bytes)).toString()).toBe('last words');
  transport.close();
});

test('what the peer sent before it reset the connection is read, too', async () => {
  const { transport, peer, got, closed } = pair();
  transport.send({ bytes: Buffer.from('never read'), fds: [] });
  peer.send(Buffer.alloc(100_000, 7), []);
  // Closing with unread data in its queue resets the connection: the kernel then reports an error, not readiness.
  peer.close();
  expect(await closed).toBeInstanceOf(BusClosedError);
  expect(Buffer.concat(got.map(({ bytes }) => bytes))).toHaveLength(100_000);
});

test('nothing is read while the receiver holds it, however long', async () => {
  const { transport, peer, got } = pair();
  transport.hold();
  peer.send(Buffer.from('a'), []);
  for (let i = 0; i < 20; i++) await nextTurn();
  expect(got).toEqual([]);
  transport.resume();
  await until(() => got.length === 1);
  transport.close();
  peer.close();
});

test('received fds are not inherited by children', async () => {
  const { transport, peer, got } = pair();
  using fd = newMemfd();
  peer.send(Buffer.from('a'), [fd]);
  await until(() => got.length === 1);
  const [received] = got[0]?.fds ?? [];
  const flags = fdFlags(received);
  expect(flags & O_CLOEXEC).toBe(O_CLOEXEC);
  closeAll(got[0]?.fds ?? []);
  transport.close();
  peer.close();
});

const O_CLOEXEC = 0o2000000;

/** Flags of a descriptor of this process, as the kernel tells them (proc(5), fdinfo). */
function fdFlags(fd: OwnedFd | undefined): number {
  const info = readFileSync(`/proc/self/fdinfo/${fd?.number ?? -1}`, 'utf8');
  return Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '', 8);
}

test.each([
  { wanted: true, more: true, reads: 16 },
  { wanted: true, more: false, reads: 1 },
  { wanted: false, more: true, reads: 1 },
])('where more is wanted: $wanted, and may be there: $more, it reads $reads times in a turn', async (row) => {
  const [ours, theirs] = socketPair();
  const socket = new MessageSocket(ours);
  const peer = new MessageSocket(theirs);
  peer.send(Buffer.from('x'), []);
  const endless: FdStream = {
    fd: socket.fd,
    send: (bytes, fds) => socket.send(bytes, fds),
    // Leaves the byte where it is, so that there is always something to read.
    receive: () => ({ bytes: Buffer.from('x'), fds: [], more: row.more }),
    allRead: () => socket.allRead(),
    close: () => {
      socket.close();
    },
  };
  const turns: number[] = [];
  let reads = 0;
  const enough = gate();
  const transport = new Transport(endless, {
    received: () => {
      if (reads++ === 0)
        setImmediate(() => {
          turns.push(reads);
          reads = 0;
          if (turns.length === 5) enough.open();
        });
      return row.wanted;
    },
    closed: () => undefined,
  });
  await enough.opened;
  transport.close();
  peer.close();
  expect(turns).toEqual(Array.from({ length: 5 }, () => row.reads));
});

test('no more descriptors are sent than may be unread, until all were read', async () => {
  const { transport, peer } = pair({ ...CHANNEL_TERMS, unreadFds: 3 });
  const send = (count: number): void => {
    transport.send({ bytes: Buffer.from('x'), fds: Array.from({ length: count }, () => newMemfd()) });
  };
  send(2);
  send(2);
  expect(transport.congested).toBe(true);
  const first = peer.receive();
  if (typeof first === 'string') throw new Error(first);
  expect(first.fds).toHaveLength(2);
  const second = await readAll(peer, 1);
  expect(second.fds).toHaveLength(2);
  closeAll([...first.fds, ...second.fds]);
  transport.close();
  peer.close();
});

test('a peer that reads nothing for long while something waits is given up, and one that reads is not', async () => {
  const { transport, peer, closed } = pair({ ...CHANNEL_TERMS, giveUpAfter: 200 });
  const before = openFds();
  transport.send({ bytes: Buffer.alloc(2 ** 19), fds: [] });
  await readAll(peer, 2 ** 19);
  transport.send({ bytes: Buffer.alloc(2 ** 19), fds: [newMemfd()] });
  expect((await closed)?.reason).toBe('not-reading');
  peer.close();
  await expectNoNewFds(before);
});

test('a peer that leaves more than a mebibyte behind one message is given up at once', async () => {
  const { transport, peer, closed } = pair(CHANNEL_TERMS);
  transport.send({ bytes: Buffer.alloc(2 ** 22), fds: [] });
  transport.send({ bytes: Buffer.alloc(2 ** 19), fds: [] });
  expect(transport.congested).toBe(true);
  transport.send({ bytes: Buffer.alloc(2 ** 20), fds: [] });
  expect((await closed)?.reason).toBe('not-reading');
  peer.close();
});
