import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodePng } from './png.js';

/** The chunks of a PNG by name, their check values compared with a bitwise division by the polynomial. */
function chunksOf(png: Buffer): ReadonlyMap<string, Buffer> {
  expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const end = at + 8 + length;
    chunks.set(png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, end));
    expect(png.readUInt32BE(end)).toBe(remainder(png.subarray(at + 4, end)));
    at = end + 4;
  }
  return chunks;
}

/** CRC-32 by long division, highest power first, as the standard defines it. */
function remainder(bytes: Buffer): number {
  const reflect = (value: number, bits: number): bigint =>
    BigInt(`0b${value.toString(2).padStart(bits, '0').split('').reverse().join('')}`);
  let register = 0xffff_ffffn;
  for (const byte of bytes) {
    register ^= reflect(byte, 8) << 24n;
    for (let bit = 0; bit < 8; bit++) {
      const carry = (register & 0x8000_0000n) !== 0n;
      register = (register << 1n) & 0xffff_ffffn;
      if (carry) register ^= 0x04c1_1db7n;
    }
  }
  return Number(reflect(Number(register ^ 0xffff_ffffn), 32));
}

/** What a viewer makes of a file with 8-bit colours and no interlacing. */
function decode(png: Buffer): { width: number; height: number; rgb: Uint8Array } {
  const chunks = chunksOf(png);
  expect([...chunks.keys()]).toEqual(['IHDR', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR') ?? Buffer.alloc(0);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  expect([...header.subarray(8)]).toEqual([8, 2, 0, 0, 0]);
  const lines = inflateSync(chunks.get('IDAT') ?? Buffer.alloc(0));
  const row = width * 3;
  expect(lines.length).toBe((row + 1) * height);
  const rgb = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    expect(lines[y * (row + 1)]).toBe(2);
    for (let x = 0; x < row; x++) {
      const above = y === 0 ? 0 : (rgb[(y - 1) * row + x] ?? 0);
      rgb[y * row + x] = (lines[y * (row + 1) + 1 + x] ?? 0) + above;
    }
  }
  return { width, height, rgb };
}

describe('encodePng', () => {
  it('says every pixel to a decoder', () => {
    const size = fc.integer({ min: 1, max: 9 });
    const image = fc.tuple(size, size).chain(([width, height]) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        rgb: fc.uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 }),
      }),
    );
    fc.assert(
      fc.property(image, ({ width, height, rgb }) => {
        expect(decode(encodePng(rgb, width, height))).toEqual({ width, height, rgb });
      }),
    );
  });

  it('refuses bytes that are not of that size', () => {
    expect(() => encodePng(new Uint8Array(12), 2, 3)).toThrow(RangeError);
  });
});
