import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../daemon/policy/size-expression.js';
import { parseSize } from '../../../daemon/policy/size-parser.js';
import { sizeContexts } from './arbitraries.js';

describe('parseSize', () => {
  it.each([
    ['64M', { kind: 'bytes', bytes: 64n * 2n ** 20n }],
    ['1.5G', { kind: 'bytes', bytes: 3n * 2n ** 29n }],
    ['0.3K', { kind: 'bytes', bytes: 307n }],
    [' 12.50 % ', { kind: 'share', of: 'ram', millionths: 12_500_000n }],
    ['80% of heap', { kind: 'share', of: 'heap', millionths: 80_000_000n }],
    ['5% of ram', { kind: 'share', of: 'ram', millionths: 5_000_000n }],
    ['6frames', { kind: 'frames', count: 6n }],
    ['1 frame', { kind: 'frames', count: 1n }],
    [
      'min( 1 ,\t2 )',
      {
        kind: 'min',
        terms: [
          { kind: 'bytes', bytes: 1n },
          { kind: 'bytes', bytes: 2n },
        ],
      },
    ],
  ])('reads %s', (text, value) => {
    expect(parseSize(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['', 0, 'no-size'],
    ['-1', 0, 'no-size'],
    ['64MiB', 2, 'unknown-unit'],
    ['64 mb', 3, 'unknown-unit'],
    ['1.5', 3, 'fraction-of-whole'],
    ['1.5 frames', 10, 'fraction-of-whole'],
    ['1.1234567%', 9, 'too-many-digits'],
    ['1 2', 2, 'trailing-text'],
    ['min 1', 4, 'missing-bracket'],
    ['min(1', 5, 'missing-bracket'],
    ['min()', 4, 'no-size'],
    ['max(1, 2', 8, 'missing-bracket'],
    ['1 +', 3, 'no-size'],
    ['5% of disk', 6, 'unknown-share'],
    ['minimum(1)', 0, 'no-size'],
    ['9'.repeat(21), 21, 'too-many-digits'],
  ])('refuses %s at %i', (text, offset, kind) => {
    expect(parseSize(text)).toMatchObject({ ok: false, offset, kind });
  });

  it('has an end to what stands in one another', () => {
    expect(parseSize('min('.repeat(100_000))).toMatchObject({ ok: false, offset: 67, kind: 'too-deep' });
    expect(parseSize(`${'min('.repeat(16)}1${')'.repeat(16)}`).ok).toBe(true);
  });

  it('never throws, and what it reads can be reckoned', () => {
    const word = fc.constantFrom(
      'min',
      'max',
      '(',
      ')',
      ',',
      '+',
      '%',
      ' of ',
      'heap',
      'ram',
      'frames',
      'K',
      '.',
      ' ',
      '7',
      '1024',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
    );
    fc.assert(
      fc.property(text, sizeContexts, (text, context) => {
        const parsed = parseSize(text);
        if (parsed.ok) expect(evaluate(parsed.value, context)).toBeGreaterThanOrEqual(0n);
        else expect(parsed.offset).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 1000 },
    );
  });
});
