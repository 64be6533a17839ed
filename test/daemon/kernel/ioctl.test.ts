import { closeSync, writeSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  io,
  ioctl,
  ioctlOffLoop,
  ior,
  iow,
  iowr,
  onceOffLoop,
  repeatOffLoop,
} from '../../../daemon/kernel/ioctl.js';
import { declare, type NativeFunction } from '../../../dbus/native/libc.js';

describe('ioctl numbers', () => {
  it.each([
    // One of each direction, of linux/fs.h and linux/random.h.
    ['FIGETBSZ', io('FIGETBSZ', '\0', 2).request, 0x0000_0002],
    ['RNDGETENTCNT', ior('RNDGETENTCNT', 'R', 0, 4).request, 0x8004_5200],
    ['FS_IOC_SETFLAGS', iow('FS_IOC_SETFLAGS', 'f', 2, 8).request, 0x4008_6602],
    ['FIFREEZE', iowr('FIFREEZE', 'X', 119, 4).request, 0xc004_5877],
  ])('numbers %s as the kernel does', (_name, request, number) => {
    expect(request).toBe(number);
  });
});

/** Of asm-generic/ioctls.h; bytes that wait in a pipe. */
const FIONREAD = { name: 'FIONREAD', request: 0x541b };
const pipe = declare('int pipe2(_Out_ int *fds, int flags)');
const read = declare('int64 read(int fd, void *to, size_t length)');
const O_NONBLOCK = 0o4000;

let ends: [from: number, to: number];
beforeEach(() => {
  ends = [0, 0];
  expect(pipe(ends, O_NONBLOCK)).toBe(0);
});
afterEach(() => {
  ends.forEach((fd) => {
    closeSync(fd);
  });
});

describe('ioctl', () => {
  it('tells the errno of a refusal, on the loop and off it', async () => {
    const argument = Buffer.alloc(4);
    const refusal = { name: 'KernelError', code: 'EBADF', call: 'FIONREAD' };
    expect(() => ioctl(FIONREAD, -1, argument)).toThrow(expect.objectContaining(refusal) as Error);
    await expect(ioctlOffLoop(FIONREAD, -1, argument)).rejects.toMatchObject(refusal);
  });

  it('brings back what the kernel wrote, on the loop and off it', async () => {
    writeSync(ends[1], 'xyz');
    const answers = [Buffer.alloc(4), Buffer.alloc(4)] as const;
    expect(ioctl(FIONREAD, ends[0], answers[0])).toBe(0);
    expect(await ioctlOffLoop(FIONREAD, ends[0], answers[1])).toBe(0);
    expect(answers.map((bytes) => bytes.readInt32LE())).toEqual([3, 3]);
  });
});

/** `read` of libc, with something to be done before each call. */
const readAfter = (before: (call: number) => void): { native: NativeFunction; calls: () => number } => {
  let calls = 0;
  const async = (...args: readonly unknown[]): void => {
    before(++calls);
    read.async(...args);
  };
  return {
    native: Object.assign((...args: readonly unknown[]) => read(...args), { async }),
    calls: () => calls,
  };
};

describe('repeatOffLoop', () => {
  it('calls again when the kernel says so, until it does not', async () => {
    const { native, calls } = readAfter((call) => {
      if (call === 3) writeSync(ends[1], 'x');
    });
    const bytes = Buffer.alloc(1);
    expect(await repeatOffLoop('read', native, ends[0], bytes, bytes.length)).toBe(1);
    expect([calls(), bytes.toString()]).toEqual([3, 'x']);
  });

  it('gives up in the end', async () => {
    const { native, calls } = readAfter(() => undefined);
    await expect(repeatOffLoop('read', native, ends[0], Buffer.alloc(1), 1)).rejects.toMatchObject({
      code: 'EAGAIN',
      call: 'read',
    });
    expect(calls()).toBeGreaterThan(100);
  });

  it('does not call again after another failure', async () => {
    const { native, calls } = readAfter(() => undefined);
    await expect(repeatOffLoop('read', native, -1, Buffer.alloc(1), 1)).rejects.toMatchObject({
      code: 'EBADF',
    });
    expect(calls()).toBe(1);
  });
});

describe('onceOffLoop', () => {
  it('takes what the kernel says for the answer, EAGAIN as well', async () => {
    const { native, calls } = readAfter(() => undefined);
    const bytes = Buffer.alloc(1);
    await expect(onceOffLoop('read', native, ends[0], bytes, 1)).rejects.toMatchObject({ code: 'EAGAIN' });
    expect(calls()).toBe(1);
    writeSync(ends[1], 'x');
    expect(await onceOffLoop('read', native, ends[0], bytes, 1)).toBe(1);
  });
});
