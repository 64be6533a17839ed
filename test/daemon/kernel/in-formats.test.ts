import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { FormatModifier } from '../../../daemon/kernel/drm.js';
import { parseInFormats } from '../../../daemon/kernel/in-formats.js';
import { writeBlob, type Window } from './in-formats-blob.js';

/** The pairs by the definition, one format at a time. */
const pairsOf = (formats: readonly string[], windows: readonly Window[]): FormatModifier[] =>
  windows.flatMap(({ modifier, offset, bits }) =>
    formats.flatMap((format, i) =>
      i >= offset && i < offset + 64 && (bits & (1n << BigInt(i - offset))) !== 0n
        ? [{ format, modifier }]
        : [],
    ),
  );

const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const gap = fc.integer({ min: 0, max: 9 });
const parts = fc.record({
  formats: fc.array(
    fc
      .integer({ min: 0, max: 0xffff_ffff })
      .map((code) => Buffer.from(Uint32Array.of(code).buffer).toString('latin1')),
    { maxLength: 150 },
  ),
  windows: fc.array(
    fc.record({ modifier: word, bits: word, offset: fc.constantFrom(0, 1, 63, 64, 128, 0xffff_ffff) }),
    { maxLength: 20 },
  ),
  gaps: fc.tuple(gap, gap, gap),
});

describe('parseInFormats', () => {
  it('reads each modifier with the formats of its bits', () => {
    const formats = ['XR24', 'NV12', 'R8  '];
    const windows = [
      { modifier: 0n, offset: 0, bits: 0b111n },
      { modifier: 0x0100_0000_0000_0001n, offset: 1, bits: 0b1n },
    ];
    expect(parseInFormats(writeBlob({ formats, windows }))).toEqual({
      pairs: [
        { format: 'XR24', modifier: 0n },
        { format: 'NV12', modifier: 0n },
        { format: 'R8  ', modifier: 0n },
        { format: 'NV12', modifier: 0x0100_0000_0000_0001n },
      ],
    });
  });

  it('reads whatever a writer of its own wrote, wherever the tables lie', () => {
    fc.assert(
      fc.property(parts, (blob) => {
        expect(parseInFormats(writeBlob(blob))).toEqual({ pairs: pairsOf(blob.formats, blob.windows) });
      }),
    );
  });

  it('reads a blob in the middle of other bytes, at any address', () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 7 }), (blob, shift) => {
        const bytes = Buffer.concat([Buffer.alloc(shift), writeBlob(blob)]).subarray(shift);
        expect(parseInFormats(bytes)).toEqual({ pairs: pairsOf(blob.formats, blob.windows) });
      }),
    );
  });

  it('says why a blob that is cut short says nothing', () => {
    const whole = writeBlob({ formats: ['XR24'], windows: [{ modifier: 0n, offset: 0, bits: 1n }] });
    for (let length = 0; length < whole.length; length++)
      expect(parseInFormats(whole.subarray(0, length))).toEqual({
        malformed: length < 24 ? 'header' : length < 28 ? 'formats' : 'modifiers',
      });
  });

  it('takes no other version for this one', () => {
    expect(parseInFormats(writeBlob({ formats: [], windows: [], version: 2 }))).toEqual({
      malformed: 'version',
    });
  });

  it('makes no huge list of a small blob', () => {
    const formats = Array.from({ length: 64 }, () => 'XR24');
    const full = (length: number): readonly Window[] =>
      Array.from({ length }, () => ({ modifier: 0n, offset: 0, bits: 2n ** 64n - 1n }));
    expect(parseInFormats(writeBlob({ formats, windows: full(1024) }))).toHaveProperty(
      'pairs.length',
      65_536,
    );
    expect(parseInFormats(writeBlob({ formats, windows: full(1025) }))).toEqual({ malformed: 'size' });
  });

  it('throws nothing, whatever the bytes, and takes no table from beyond them', () => {
    const count = fc.oneof(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 0xffff_ffff }));
    const header = fc.tuple(fc.constantFrom(1, 1, 1, 0), count, count, count, count, count);
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 400 }), (numbers, rest) => {
        const blob = Buffer.concat([Buffer.from(Uint32Array.from(numbers).buffer), rest]);
        const [version, , formats, formatsAt, modifiers, modifiersAt] = numbers;
        const fits = formatsAt + 4 * formats <= blob.length && modifiersAt + 24 * modifiers <= blob.length;
        expect('pairs' in parseInFormats(blob)).toBe(version === 1 && fits);
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseInFormats(Buffer.from(bytes));
      }),
    );
  });
});
