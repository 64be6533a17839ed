import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SizeContext } from '../../../daemon/policy/policy.js';
import { evaluate, printSize, speaksOfHeap } from '../../../daemon/policy/size-expression.js';
import type { SizeExpression } from '../../../daemon/policy/size-expression.js';
import { parseSize } from '../../../daemon/policy/size-parser.js';
import { sizeContexts, sizeExpressions } from './arbitraries.js';

const GIB = 2n ** 30n;
const machine: SizeContext = { ram: 4n * GIB, heap: 256n * 2n ** 20n, frame: { width: 3840, height: 2160 } };

/** Reckons by the text alone: cuts it at the signs that stand in no brackets. */
function reference(text: string, context: SizeContext): bigint {
  const terms = cut(text, '+');
  if (terms.length > 1) return terms.reduce((sum, term) => sum + reference(term, context), 0n);
  const [, choice, inner] = /^(min|max)\((.*)\)$/.exec(text) ?? [];
  if (inner !== undefined) {
    const sizes = cut(inner, ',').map((size) => reference(size, context));
    sizes.sort((a, b) => (a < b ? -1 : Number(a > b)));
    return sizes.at(choice === 'min' ? 0 : -1) ?? -1n;
  }
  const [, whole = '', fraction = '', unit = ''] = /^(\d+)(?:\.(\d+))? ?(.*)$/.exec(text) ?? [];
  const pixels = BigInt(context.frame.width) * BigInt(context.frame.height);
  const units = new Map([
    ['', 1n],
    ['K', 1n << 10n],
    ['M', 1n << 20n],
    ['G', 1n << 30n],
    ['T', 1n << 40n],
    ['frame', 4n * pixels],
    ['frames', 4n * pixels],
    ['%', context.ram],
    ['% of heap', context.heap ?? context.ram],
  ]);
  const parts = BigInt(whole + fraction) * (units.get(unit) ?? -1n);
  return parts / ((unit.startsWith('%') ? 100n : 1n) * 10n ** BigInt(fraction.length));
}

function cut(text: string, sign: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === sign && depth === 0) parts.push('');
    else parts.push(`${parts.pop() ?? ''}${character}`);
  }
  return parts.map((part) => part.trim());
}

describe('evaluate', () => {
  it.each([
    ['64M', 64n * 2n ** 20n],
    ['12.5%', GIB / 2n],
    ['80% of heap', (256n * 2n ** 20n * 8n) / 10n],
    ['6 frames', 6n * 3840n * 2160n * 4n],
    ['min(25%, 1G)', GIB],
    ['max(25%, 1G, 2 frames)', GIB],
    ['min(1K + 1, 2K)', 1025n],
  ])('reckons %s', (text, bytes) => {
    const parsed = parseSize(text);
    expect(parsed.ok && evaluate(parsed.value, machine)).toBe(bytes);
  });

  it('takes a heap with no size of its own for as large as RAM', () => {
    const { ram, frame } = machine;
    expect(evaluate({ kind: 'share', of: 'heap', millionths: 50_000_000n }, { ram, frame })).toBe(2n * GIB);
  });

  it('rounds each share down', () => {
    const third: SizeExpression = { kind: 'share', of: 'ram', millionths: 33_333_333n };
    const context = { ...machine, ram: 10n };
    expect(evaluate(third, context)).toBe(3n);
    expect(evaluate({ kind: 'sum', terms: [third, third] }, context)).toBe(6n);
  });

  it('agrees with a reckoning by other means', () => {
    fc.assert(
      fc.property(sizeExpressions, sizeContexts, (size, context) => {
        expect(evaluate(size, context)).toBe(reference(printSize(size), context));
      }),
    );
  });
});

describe('printSize', () => {
  it.each([
    '64M',
    '0',
    '1',
    '1025',
    '12.5%',
    '80% of heap',
    '0.000001%',
    '1 frame',
    '6 frames',
    'min(25%, 1G)',
    '1G + max(2K, 1%)',
  ])('writes %s as it is read', (text) => {
    const parsed = parseSize(text);
    expect(parsed.ok && printSize(parsed.value)).toBe(text);
  });

  it('writes what reads as the same', () => {
    fc.assert(
      fc.property(sizeExpressions, (size) => {
        expect(parseSize(printSize(size))).toEqual({ ok: true, value: size });
      }),
    );
  });
});

describe('speaksOfHeap', () => {
  it.each([
    ['min(1G, 2K + max(80% of heap, 1))', true],
    ['min(1G, 2K + max(80% of ram, 1))', false],
  ])('%s: %s', (text, speaks) => {
    const parsed = parseSize(text);
    expect(parsed.ok && speaksOfHeap(parsed.value)).toBe(speaks);
  });
});
