import { endianness } from 'node:os';
import { statSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DmabrokerError } from '../../../client/errors.js';
import { deviceFromDevT } from '../../../client/graphics/dev-t.js';
import { declare } from '../../../dbus/native/libc.js';

const u32 = fc.bigInt({ min: 0n, max: 0xffff_ffffn });
const makedev = declare('uint64 gnu_dev_makedev(unsigned int major, unsigned int minor)');

describe('deviceFromDevT', () => {
  it.each([
    [0xe200n, '226:0'],
    [0xe280n, '226:128'],
    [0x5100n, '81:0'],
    [0x1000_e2ffn, '226:65791'],
    [0x0000_1000_0000_0000n, '4096:0'],
    [0xffff_ffff_ffff_ffffn, '4294967295:4294967295'],
  ])('reads %d', (number, device) => {
    expect(deviceFromDevT(number)).toBe(device);
  });

  it('undoes what glibc does, for numbers and for bytes', () => {
    fc.assert(
      fc.property(u32, u32, (major, minor) => {
        const number = BigInt(makedev(Number(major), Number(minor)) as number | bigint);
        const bytes = new Uint8Array(BigUint64Array.of(number).buffer);
        expect(deviceFromDevT(number)).toBe(`${major}:${minor}`);
        expect(deviceFromDevT(bytes)).toBe(`${major}:${minor}`);
      }),
    );
  });

  it('reads bytes that lie anywhere in a buffer, in the order of the machine', () => {
    const bytes = new Uint8Array(11).fill(0xff);
    bytes.fill(0, 3);
    bytes.set(endianness() === 'LE' ? [0x80, 0xe2] : [0xe2, 0x80], endianness() === 'LE' ? 3 : 9);
    expect(deviceFromDevT(bytes.subarray(3))).toBe('226:128');
  });

  it('takes what stat says', () => {
    expect(deviceFromDevT(statSync('/dev/null').rdev)).toBe('1:3');
  });

  it.each([[new Uint8Array(0)], [new Uint8Array(4)], [new Uint8Array(16)], [-1n], [1n << 64n], [1.5]])(
    'refuses %s',
    (value) => {
      expect(() => deviceFromDevT(value)).toThrow(DmabrokerError);
    },
  );
});
