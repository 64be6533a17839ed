import { fstatSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { closeAll, FdClosedError, OwnedFd } from '../../dbus/owned-fd.js';
import { newMemfd } from '../harness/sockets.js';

const inode = (fd: OwnedFd): number => fstatSync(fd.number).ino;

test('closes once, however often it is asked to', () => {
  const fd = newMemfd();
  const { number } = fd;
  fd.close();
  expect(() => fstatSync(number)).toThrow('EBADF');
  // Somebody else has the number now; a second close must not take it away.
  using next = newMemfd();
  expect(next.number).toBe(number);
  fd.close();
  expect(inode(next)).toBeGreaterThan(0);
  expect(() => fd.number).toThrow(FdClosedError);
});

test('a duplicate is the same file under another number, and not inherited', () => {
  using fd = newMemfd();
  using copy = fd.dup();
  expect(copy.number).not.toBe(fd.number);
  expect(inode(copy)).toBe(inode(fd));
  const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${copy.number}`, 'utf8'))?.[1];
  expect(Number.parseInt(flags ?? '', 8) & 0o2000000).not.toBe(0);
});

test('what was given away is not closed', () => {
  const fd = newMemfd();
  using next = new OwnedFd(fd.release());
  fd.close();
  expect(fd.open).toBe(false);
  expect(inode(next)).toBeGreaterThan(0);
});

test('all are closed, also when one of them fails to close', () => {
  const [first, gone, last] = [newMemfd(), newMemfd(), newMemfd()];
  new OwnedFd(gone.number).close();
  expect(() => {
    closeAll([first, gone, last]);
  }).toThrow(expect.objectContaining({ errors: [expect.objectContaining({ code: 'EBADF' })] }) as Error);
  expect([first, gone, last].map((fd) => fd.open)).toEqual([false, false, false]);
});

test.each([-1, 0.5, NaN])('%d is no descriptor', (number) => {
  expect(() => new OwnedFd(number)).toThrow(RangeError);
});
