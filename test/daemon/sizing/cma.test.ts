import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { COMMAND_LINE_FILES } from '../../../daemon/devices/machine-facts.js';
import { cmaFor, reserve } from '../../../daemon/sizing/cma.js';
import { machine, MIB, policyOf } from '../machine.js';
import { board } from './machines.js';
import { naming } from '../../harness/naming.js';

const STEP = 16n * MIB;

describe('cmaFor', () => {
  it.each([
    ['100% of heap', 61_651_200n, 64n],
    ['100% of heap', 64n * MIB, 64n],
    ['100% of heap', 64n * MIB + 1n, 80n],
    // 80 MiB have 64 to hand out, 64 only 51.2.
    ['80% of heap', 61_651_200n, 80n],
    ['min(80% of heap, 100M)', 61_651_200n, 80n],
    ['max(80% of heap, 60M)', 61_651_200n, 64n],
    ['50% of heap', 61_651_200n, 128n],
  ])('with Limit=%s for %d bytes is %d MiB', (limit, asked, size) => {
    expect(cmaFor(asked, board([]), policyOf(`[Pool contiguous]\nLimit=${limit}\n`))).toBe(size * MIB);
  });

  it('is none where half of RAM is too little, or the limit is of something else', () => {
    const all = policyOf('[Pool contiguous]\nLimit=100% of heap\n');
    expect(cmaFor(512n * MIB, board([]), all)).toBe(512n * MIB);
    expect(cmaFor(512n * MIB + 1n, board([]), all)).toBeUndefined();
    expect(cmaFor(61_651_200n, board([]), policyOf('[Pool contiguous]\nLimit=5%\n'))).toBeUndefined();
  });

  it('is the smallest that does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.bigInt(1n, 400n * MIB), (percent, asked) => {
        const policy = policyOf(`[Pool contiguous]\nLimit=${percent}% of heap\n`);
        const size = cmaFor(asked, board([]), policy);
        const limit = (heap: bigint): bigint => (heap * BigInt(percent)) / 100n;
        if (size === undefined) expect(limit(512n * MIB)).toBeLessThan(asked);
        else {
          expect(size % STEP).toBe(0n);
          expect(limit(size)).toBeGreaterThanOrEqual(asked);
          expect(limit(size - STEP)).toBeLessThan(asked);
        }
      }),
    );
  });
});

describe('reserve', () => {
  const { machine: facts } = machine();
  const said = (more: Partial<typeof facts>) => reserve(80n * MIB, { ...facts, ...more });

  it.each([
    ['/boot/firmware/cmdline.txt', []],
    ['/etc/default/grub', ['GRUB_CMDLINE_LINUX=', 'update-grub']],
    ['/boot/extlinux/extlinux.conf', ['append']],
    ['/etc/kernel/cmdline', ['kernel-install add-all']],
  ])('names the place %s, and what to run', (commandLine, others) => {
    expect(said({ commandLine })).toMatch(naming('`cma=80M`', commandLine, ...others));
  });

  it('knows what to do in every place that the inventory finds', () => {
    for (const commandLine of COMMAND_LINE_FILES) expect(said({ commandLine })).toContain(commandLine);
  });

  it('names no place where nobody knows one', () => {
    expect(said({})).toMatch(naming('`cma=80M`'));
    expect(said({})).not.toContain('/');
  });

  it('knows the place on a Raspberry Pi of which only the name is known', () => {
    const compatible = ['raspberrypi,4-model-b', 'brcm,bcm2711'];
    expect(said({ compatible })).toMatch(naming('`cma=80M`', '/boot/firmware/cmdline.txt'));
  });
});
