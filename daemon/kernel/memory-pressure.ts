import { constants, openSync, readFileSync, writeSync } from 'node:fs';
import { constants as os } from 'node:os';

import { OwnedFd } from '../../dbus/owned-fd.js';
import { FdWatch } from '../../dbus/native/fd-watch.js';
import { declare } from '../../dbus/native/libc.js';
import { kernelCall, KernelError } from './errors.js';
import type { PressureCalls } from './kernel.js';
import { repeat } from './ioctl.js';
import { EPOLL_CLOEXEC, EPOLL_CTL_ADD, epollEvent, EPOLLPRI } from './poll-structs.js';

const MEMINFO = '/proc/meminfo';
const PRESSURE = '/proc/pressure/memory';

/**
 * When to tell, in microseconds of waiting within microseconds of time (Documentation/accounting/psi.rst): whenever some
 * task waited a tenth of it. Without CAP_SYS_RESOURCE the kernel takes windows of two seconds alone, and says EINVAL.
 */
const TRIGGERS_US = { privileged: 'some 100000 1000000', otherwise: 'some 200000 2000000' } as const;

/**
 * @param opened PRESSURE, opened for writing by a more privileged process, whose rights then count
 * (psi_write takes those of the file); this object's from now on
 */
export const pressureCalls = (opened?: OwnedFd): PressureCalls => {
  // A file has one trigger at most.
  let file = opened;
  return {
    memory() {
      const text = kernelCall('read', () => readFileSync(MEMINFO, 'latin1'));
      return { total: kilobytes(text, 'MemTotal'), available: kilobytes(text, 'MemAvailable') };
    },

    waited() {
      const text = kernelCall('read', () => readFileSync(PRESSURE, 'latin1'));
      return Number(found(/^some .*\btotal=(\d+)$/m.exec(text)));
    },

    watch(pressed) {
      const trigger = openTrigger(file ?? openPressure());
      file = undefined;
      return watchPriority(trigger, pressed);
    },
  };
};

const openPressure = (): OwnedFd =>
  kernelCall('open', () => new OwnedFd(openSync(PRESSURE, constants.O_RDWR | constants.O_NONBLOCK)));

/** Takes the file, and closes it when there can be no trigger. */
function openTrigger(file: OwnedFd): OwnedFd {
  const write = (trigger: string): number =>
    kernelCall('write', () => writeSync(file.number, `${trigger}\0`));
  try {
    try {
      write(TRIGGERS_US.privileged);
    } catch (error) {
      if (!(error instanceof KernelError) || error.errno !== os.errno.EINVAL) throw error;
      write(TRIGGERS_US.otherwise);
    }
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

const kilobytes = (text: string, name: string): bigint =>
  BigInt(found(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text))) * 1024n;

/** @throws {KernelError} EIO: the file is not what it was on every Linux so far */
function found(match: RegExpExecArray | null): string {
  const digits = match?.[1];
  if (digits === undefined) throw new KernelError('read', os.errno.EIO);
  return digits;
}

const epollCreate = declare('int epoll_create1(int flags)');
const epollControl = declare('int epoll_ctl(int epoll, int operation, int fd, void *event)');

/**
 * Tells when a file has something of priority (POLLPRI), until it is disposed; closes the file then. The event loop only
 * watches for reading and writing, so that it watches an epoll instance, which can be read when what it watches is ready.
 * The kernel forgets the event when it tells of it, so that nothing has to be read.
 * @param file this watch's from now on, also when it cannot be made
 * @throws {KernelError}
 */
export function watchPriority(file: OwnedFd, happened: () => void): Disposable {
  let epoll: OwnedFd | undefined;
  try {
    epoll = new OwnedFd(repeat('epoll_create1', epollCreate, EPOLL_CLOEXEC));
    const event = epollEvent.make({ events: EPOLLPRI });
    repeat('epoll_ctl', epollControl, epoll.number, EPOLL_CTL_ADD, file.number, event);
  } catch (error) {
    epoll?.close();
    file.close();
    throw error;
  }
  const watched = epoll;
  const watch = new FdWatch(watched.number, (_ready, failed) => {
    if (!failed) happened();
  });
  watch.watch({ readable: true, writable: false });
  return {
    [Symbol.dispose]: () => {
      watch.close();
      watched.close();
      file.close();
    },
  };
}
