import { expect, test } from 'vitest';

import { FdControl } from '../../../dbus/native/fd-control.js';
import { StructLayout } from '../../../dbus/native/layout.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { newMemfd } from '../../harness/sockets.js';

const CMSGHDR = new StructLayout({ length: 'size_t', level: 'int', type: 'int' });
const SOL_SOCKET = 1;
const SCM_CREDENTIALS = 2;

test('no fds are no control data', () => {
  expect(new FdControl().put([])).toBe(0);
  expect(new FdControl().take(0)).toEqual([]);
});

test('fds are found behind control messages of other kinds, whose length is no multiple of a word', () => {
  const sender = new FdControl();
  const fds = [newMemfd(), newMemfd()];
  const length = sender.put(fds);
  const receiver = new FdControl();
  // A `struct ucred` has three ints: the next control message starts at the next word.
  const other = CMSGHDR.size + 12;
  CMSGHDR.write(receiver.bytes, 0, 'length', other);
  CMSGHDR.write(receiver.bytes, 0, 'level', SOL_SOCKET);
  CMSGHDR.write(receiver.bytes, 0, 'type', SCM_CREDENTIALS);
  const next = Math.ceil(other / 8) * 8;
  sender.bytes.copy(receiver.bytes, next, 0, length);
  const found = receiver.take(next + length);
  expect(found.map((fd) => fd.number)).toEqual(fds.map((fd) => fd.number));
  for (const fd of found) fd.release();
  closeAll(fds);
});
