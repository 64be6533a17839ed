import { describe, expect, it } from 'vitest';
import { parseQualifier, printQualifier } from '../../../daemon/policy/qualifier.js';

describe('parseQualifier', () => {
  it.each([
    ['decode', { uses: ['decode'] }],
    ['encode, decode', { uses: ['decode', 'encode'] }],
    [':P010,NV12', { formats: ['NV12', 'P010'] }],
    [': R8', { formats: ['R8  '] }],
    ['capture:NV12,NV12', { uses: ['capture'], formats: ['NV12'] }],
  ])('reads [%s]', (text, qualifier) => {
    expect(parseQualifier(text)).toEqual(qualifier);
  });

  it.each([
    ['', 0, 'empty brackets'],
    [',', 0, 'empty brackets'],
    [':', 0, 'empty brackets'],
    ['decode:', 6, 'empty brackets'],
    ['decod', 0, 'did you mean decode?'],
    ['decode,NV12', 7, 'did you mean the format :NV12?'],
    ['decode:NV12X', 7, 'NV12X is no fourcc'],
    [':NV12,P\u00f6', 6, 'is no fourcc'],
  ])('refuses [%s] at %i', (text, offset, problem) => {
    expect(parseQualifier(text)).toEqual({ problem: expect.stringContaining(problem) as string, offset });
  });
});

describe('printQualifier', () => {
  it('is one text for one set', () => {
    const print = (text: string) => {
      const qualifier = parseQualifier(text);
      return 'problem' in qualifier ? qualifier.problem : printQualifier(qualifier);
    };
    expect(print('encode,decode:P010,NV12')).toBe(print('decode , encode,encode: NV12,P010'));
    expect(print('decode')).not.toBe(print('decode:NV12'));
  });
});
