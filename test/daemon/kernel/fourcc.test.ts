import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fourccCode, fourccOf } from '../../../daemon/kernel/fourcc.js';

describe('fourcc', () => {
  it.each([
    [0x34325258, 'XR24'],
    [0x20203852, 'R8  '],
    // Big-endian formats of DRM have the highest bit.
    [0xb4325258, 'XR2\xb4'],
  ])('names %i %s, and back', (code, name) => {
    expect(fourccOf(code)).toBe(name);
    expect(fourccCode(name)).toBe(code);
  });

  it('loses nothing of any code', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (code) => {
        expect(fourccOf(code)).toHaveLength(4);
        expect(fourccCode(fourccOf(code))).toBe(code);
      }),
    );
  });

  it.each(['', 'R8', 'XRGB8', 'XR2€'])('takes %j for none', (text) => {
    expect(() => fourccCode(text)).toThrow(RangeError);
  });
});
