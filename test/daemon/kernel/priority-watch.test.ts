import { constants, openSync, readSync } from 'node:fs';

import { describe, expect, it, vi } from 'vitest';

import { declare } from '../../../dbus/native/libc.js';
import { OwnedFd } from '../../../dbus/owned-fd.js';
import { watchPriority } from '../../../daemon/kernel/memory-pressure.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';

const unlock = declare('int unlockpt(int fd)');
const nameOf = declare('const char *ptsname(int fd)');
const ioctl = declare('int ioctl(int fd, unsigned long request, void *argument)');
const flush = declare('int tcflush(int fd, int queue)');
const TIOCPKT = 0x5420;
const TCIOFLUSH = 2;

/** A terminal in packet mode: its master has something of priority when the other side is flushed, until it is read. */
class Terminal {
  readonly master = new OwnedFd(openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY));
  readonly #slave: OwnedFd;

  constructor() {
    expect(unlock(this.master.number)).toBe(0);
    const path = nameOf(this.master.number) as string;
    this.#slave = new OwnedFd(openSync(path, constants.O_RDWR | constants.O_NOCTTY));
    expect(ioctl(this.master.number, TIOCPKT, Buffer.from([1, 0, 0, 0]))).toBe(0);
  }

  happen(): void {
    expect(flush(this.#slave.number, TCIOFLUSH)).toBe(0);
  }

  close(): void {
    this.#slave.close();
  }
}

describe('watchPriority', () => {
  it('tells each time, until it is disposed, and closes the file then', async () => {
    const before = openFds(process.pid);
    const terminal = new Terminal();
    const { number } = terminal.master;
    let times = 0;
    const watch = watchPriority(terminal.master, () => {
      times += 1;
      readSync(number, Buffer.alloc(1));
    });
    for (const expected of [1, 2, 3]) {
      terminal.happen();
      await vi.waitFor(() => {
        expect(times).toBe(expected);
      });
    }
    terminal.happen();
    watch[Symbol.dispose]();
    terminal.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(times).toBe(3);
    expect(terminal.master.open).toBe(false);
    await expectNoNewFds(before);
  });

  it('closes the file when it cannot be watched', async () => {
    const before = openFds(process.pid);
    const file = new OwnedFd(openSync('/etc/hostname', 'r'));
    // epoll refuses regular files.
    expect(() => watchPriority(file, () => undefined)).toThrow(
      expect.objectContaining({ call: 'epoll_ctl', code: 'EPERM' }) as Error,
    );
    expect(file.open).toBe(false);
    await expectNoNewFds(before);
  });
});
