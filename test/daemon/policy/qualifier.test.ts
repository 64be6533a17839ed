import { describe, expect, it } from 'vitest';
import { parseQualifier, printQualifier } from '../../../daemon/policy/qualifier.js';

describe('parseQualifier', () => {
  it.each([
    ['decode', { uses: ['decode'] }],
    ['encode, decode', { uses: ['decode', 'encode'] }],
    [':P010,NV12', { formats: ['NV12', 'P010'] }],
    [': R8', { formats: ['R8  '] }],
    ['capture:NV12,NV12', { uses: ['capture'], formats: ['NV12'] }],
    ['pitch>32768', { above: { pitch: 32_768 } }],
    ['scanout, width>3840 ,height>0', { uses: ['scanout'], above: { width: 3840, height: 0 } }],
    ['pitch>64,scanout:XR24', { uses: ['scanout'], above: { pitch: 64 }, formats: ['XR24'] }],
  ])('reads [%s]', (text, qualifier) => {
    expect(parseQualifier(text)).toEqual(qualifier);
  });

  it.each([
    ['', 0, 'empty-qualifier', undefined],
    [',', 0, 'empty-qualifier', undefined],
    [':', 0, 'empty-qualifier', undefined],
    ['decode:', 6, 'empty-qualifier', undefined],
    ['decod', 0, 'unknown-use', 'decode'],
    ['decode,pitch>', 7, 'bad-size-condition', undefined],
    ['size>1', 0, 'bad-size-condition', undefined],
    ['pitch>32K', 0, 'bad-size-condition', undefined],
    ['pitch>4294967296', 0, 'bad-size-condition', undefined],
    ['>1', 0, 'bad-size-condition', undefined],
    ['decode,NV12', 7, 'format-as-use', undefined],
    ['decode:NV12X', 7, 'not-a-fourcc', undefined],
    [':NV12,P\u00f6', 6, 'not-a-fourcc', undefined],
  ])('refuses [%s] at %i', (text, offset, kind, suggestion) => {
    expect(parseQualifier(text)).toEqual({
      kind,
      offset,
      ...(suggestion && { suggestion }),
      problem: expect.any(String) as string,
    });
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
    expect(print('width>1,pitch>2,decode')).toBe(print('decode,pitch>2,width>1'));
    expect(new Set(['decode', 'decode,pitch>2', 'decode,pitch>3', 'decode,width>2'].map(print)).size).toBe(4);
  });
});
