import { describe, expect, it } from 'vitest';
import {
  bytes32,
  bytes64,
  machineSize,
  oneOf,
  perMacroblock,
  wholeNumber,
  yesOrNo,
} from '../../../daemon/policy/value-types.js';
import type { ValueType } from '../../../daemon/policy/value-types.js';
import { naming } from '../../harness/naming.js';

const read = <T>(type: ValueType<T>, text: string): T | undefined => {
  const parsed = type.parse(text);
  return parsed.ok ? parsed.value : undefined;
};

describe('yesOrNo', () => {
  it.each([
    ['yes', true],
    ['True', true],
    ['on', true],
    ['1', true],
    ['no', false],
    ['FALSE', false],
    ['off', false],
    ['0', false],
    ['', undefined],
    ['2', undefined],
  ])('%s: %s', (text, value) => {
    expect(read(yesOrNo, text)).toBe(value);
  });

  it('suggests', () => {
    expect(yesOrNo.parse('yess')).toMatchObject({ ok: false, suggestion: 'yes' });
  });
});

describe('perMacroblock', () => {
  const type = perMacroblock(bytes64);

  it.each([
    ['128', { value: 128n }],
    ['4K', { value: 4096n }],
    ['128 per macroblock', { value: 128n, per: 'macroblock' }],
    ['128  per\tmacroblock', { value: 128n, per: 'macroblock' }],
    ['128 per pixel', undefined],
    ['per macroblock', undefined],
    ['128per macroblock', undefined],
    ['0 per macroblock', undefined],
    ['', undefined],
  ])('%j: %o', (text, value) => {
    expect(read(type, text)).toEqual(value);
  });

  it('is printed as it is read', () => {
    for (const text of ['128', '128 per macroblock'])
      expect(type.print(read(type, text) ?? { value: 0n })).toBe(text);
  });
});

describe('oneOf', () => {
  const type = oneOf(['yes', 'no', 'without-iommu']);

  it('prints what it read', () => {
    expect(type.print('no')).toBe('no');
    expect(wholeNumber(-5, 64).print(-5)).toBe('-5');
  });

  it('takes a word as it is spelled, and suggests one', () => {
    expect(read(type, 'without-iommu')).toBe('without-iommu');
    expect(type.parse('without_iommu')).toMatchObject({
      ok: false,
      kind: 'bad-value',
      problem: expect.stringMatching(naming('yes', 'no', 'without-iommu')) as string,
      suggestion: 'without-iommu',
    });
  });
});

describe('wholeNumber', () => {
  it.each([
    ['-5', -5],
    ['0', 0],
    ['64', 64],
    ['65', undefined],
    ['-6', undefined],
    ['1.5', undefined],
    ['0x10', undefined],
    ['1e1', undefined],
    ['', undefined],
    ['9'.repeat(400), undefined],
  ])('%s: %s', (text, value) => {
    expect(read(wholeNumber(-5, 64), text)).toBe(value);
  });
});

describe('bytes', () => {
  it.each([
    ['1', 1],
    ['256', 256],
    ['4K', 4096],
    ['4294967295', 4294967295],
    ['4G', undefined],
    ['0', undefined],
    ['10%', undefined],
    ['min(1, 2)', undefined],
  ])('of 32 bits: %s is %s', (text, value) => {
    expect(read(bytes32, text)).toBe(value);
  });

  it.each([
    ['4G', 2n ** 32n],
    ['18446744073709551615', 2n ** 64n - 1n],
    ['18446744073709551616', undefined],
    ['0', undefined],
  ])('of 64 bits: %s is %s', (text, value) => {
    expect(read(bytes64, text)).toBe(value);
  });

  it('are printed as they can be read', () => {
    expect(bytes32.print(4096)).toBe('4K');
    expect(bytes64.print(3n * 2n ** 30n)).toBe('3G');
  });
});

describe('machineSize', () => {
  it('knows no heap', () => {
    expect(machineSize.parse('min(80% of heap, 1G)')).toMatchObject({
      ok: false,
      kind: 'no-heap',
      offset: 11,
      suggestion: '% of ram',
    });
    expect(machineSize.parse('min(80% of ram, 1G)').ok).toBe(true);
  });
});
