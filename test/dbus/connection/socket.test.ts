import { fstatSync } from 'node:fs';

import { expect, test } from 'vitest';

import { connectSocket, MessageSocket } from '../../../dbus/connection/socket.js';
import { declare } from '../../../dbus/native/libc.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { until } from '../../harness/gate.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import { acceptFrom, listenAt, newMemfd, socketPair } from '../../harness/sockets.js';

const prlimit = declare('int prlimit(int pid, int resource, const void *limit, void *old)');
const RLIMIT_NOFILE = 7;

/** Runs something while this process may have no descriptor numbered `limit` or above. */
function withFdLimit<T>(limit: number, run: () => T): T {
  const old = new BigUint64Array(2);
  prlimit(0, RLIMIT_NOFILE, null, old);
  prlimit(0, RLIMIT_NOFILE, new BigUint64Array([BigInt(limit), old[1] ?? 0n]), null);
  try {
    return run();
  } finally {
    prlimit(0, RLIMIT_NOFILE, old, null);
  }
}

function sockets(): [MessageSocket, MessageSocket] {
  const [a, b] = socketPair();
  return [new MessageSocket(a), new MessageSocket(b)];
}

test('descriptors that did not fit into the process are told as lost, and those that did are closed', async () => {
  const before = openFds();
  const [a, b] = sockets();
  const fds = Array.from({ length: 5 }, () => newMemfd());
  a.send(Buffer.from('x'), fds);
  const probe = newMemfd();
  const lowestFree = probe.number;
  probe.close();
  expect(withFdLimit(lowestFree + 2, () => b.receive())).toMatchObject({ fds: [], lost: true });
  closeAll(fds);
  a.close();
  b.close();
  await expectNoNewFds(before);
});

test('253 descriptors come with one byte, each the file it was', () => {
  const [a, b] = sockets();
  const fds = Array.from({ length: 253 }, () => newMemfd());
  a.send(Buffer.from('x'), fds);
  const received = b.receive();
  if (typeof received === 'string') throw new Error(received);
  const inodes = (list: typeof fds): number[] => list.map((fd) => fstatSync(fd.number).ino);
  expect(inodes([...received.fds])).toEqual(inodes(fds));
  closeAll([...fds, ...received.fds]);
  a.close();
  b.close();
});

test('says when there is nothing, when the socket is full, and when the other side has gone', () => {
  const [a, b] = sockets();
  expect(b.receive()).toBe('blocked');
  while (a.send(Buffer.alloc(65_536), []) !== 'blocked');
  b.close();
  expect(() => a.send(Buffer.from('x'), [])).toThrow(
    expect.objectContaining({ call: 'sendmsg', code: 'EPIPE' }) as Error,
  );
  a.close();
  const [c, d] = sockets();
  c.close();
  expect(d.receive()).toBe('end');
  d.close();
});

test('connects to abstract names', async () => {
  using listener = listenAt('\0dmabroker-test');
  const socket = connectSocket({ kind: 'abstract', name: Buffer.from('dmabroker-test') });
  if (socket === 'busy') throw new Error('busy');
  socket.send(Buffer.from('hello'), []);
  const accepted = acceptFrom(listener);
  if (accepted === undefined) throw new Error('nobody came');
  const peer = new MessageSocket(accepted);
  let text = '';
  await until(() => {
    const received = peer.receive();
    if (typeof received === 'object') text += received.bytes.toString();
    return text !== '';
  });
  expect(text).toBe('hello');
  peer.close();
  socket.close();
});
