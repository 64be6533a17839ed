import { constants, openSync, readFileSync, writeSync } from 'node:fs';
import { constants as os } from 'node:os';

import { OwnedFd } from '../../dbus/owned-fd.js';
import { kernelCall, KernelError } from './errors.js';
import type { PressureCalls } from './kernel.js';
import { watchPriority } from './priority-watch.js';

const MEMINFO = '/proc/meminfo';
const PRESSURE = '/proc/pressure/memory';

/**
 * When to tell, in microseconds of waiting within microseconds of time (Documentation/accounting/psi.rst): whenever some
 * task waited a tenth of it. Without CAP_SYS_RESOURCE the kernel takes windows of two seconds alone, and says EINVAL.
 */
const TRIGGER = { privileged: 'some 100000 1000000', otherwise: 'some 200000 2000000' } as const;

/**
 * @param opened PRESSURE, opened for writing by somebody who may more than this process, whose rights then count
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
      write(TRIGGER.privileged);
    } catch (error) {
      if (!(error instanceof KernelError) || error.errno !== os.errno.EINVAL) throw error;
      write(TRIGGER.otherwise);
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
