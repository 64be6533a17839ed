import { constants, existsSync, openSync, readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';

import { describe, expect, it } from 'vitest';

import { KernelError } from '../../../daemon/kernel/errors.js';
import { pressureCalls as callsWith } from '../../../daemon/kernel/memory-pressure.js';
import { OwnedFd } from '../../../dbus/owned-fd.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';

const pressureCalls = callsWith();
const PRESSURE = '/proc/pressure/memory';
const hasPressure = existsSync(PRESSURE);

/** An old kernel lets nobody without privilege watch, and a kernel with PSI switched off nobody at all. */
function mayWatch(): boolean {
  try {
    using _watch = pressureCalls.watch(() => undefined);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(KernelError);
    return false;
  }
}

describe('pressureCalls', () => {
  it('tells how much memory there is, and could be had', () => {
    const { total, available } = pressureCalls.memory();
    expect(Number(total)).toBe(totalmem());
    // It moves while others run.
    expect(Math.abs(Number(available) - freemem())).toBeLessThan(totalmem() / 4);
  });

  it.skipIf(!hasPressure)('tells how long tasks waited (needs PSI)', () => {
    const least = Number(/total=(\d+)/.exec(readFileSync(PRESSURE, 'utf8'))?.[1]);
    expect(pressureCalls.waited()).toBeGreaterThanOrEqual(least);
  });

  it.skipIf(!mayWatch())(
    'can be told to tell, and to stop, and leaves nothing open (needs PSI)',
    async () => {
      const before = openFds(process.pid);
      const watches = Array.from({ length: 3 }, () => pressureCalls.watch(() => undefined));
      expect(openFds(process.pid).size).toBeGreaterThan(before.size + 3);
      for (const watch of watches) watch[Symbol.dispose]();
      await expectNoNewFds(before);
    },
  );

  it.skipIf(!mayWatch())('watches with a file that somebody else opened, once (needs PSI)', async () => {
    const before = openFds(process.pid);
    const opened = new OwnedFd(openSync(PRESSURE, constants.O_RDWR));
    const number = opened.number;
    const calls = callsWith(opened);
    const first = calls.watch(() => undefined);
    expect(openFds(process.pid).get(number)).toContain(PRESSURE);
    // A second trigger on the same file would be refused with EBUSY.
    const second = calls.watch(() => undefined);
    first[Symbol.dispose]();
    second[Symbol.dispose]();
    await expectNoNewFds(before);
  });
});
