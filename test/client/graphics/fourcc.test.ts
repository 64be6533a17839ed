import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DmabrokerError } from '../../../client/errors.js';
import { fourccCode, fourccName } from '../../../client/graphics/fourcc.js';

describe('fourcc', () => {
  // Numbers from the kernel's drm_fourcc.h: fourcc_code('X', 'R', '2', '4') and so on.
  it.each([
    ['XR24', 0x34325258],
    ['NV12', 0x3231564e],
    ['R8', 0x20203852],
    ['C8', 0x20203843],
  ])('%s', (name, code) => {
    expect(fourccCode(name)).toBe(code);
    expect(fourccName(code)).toBe(name);
  });

  it('comes back as it was', () => {
    const letter = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit: letter, minLength: 1, maxLength: 4 }), (name) => {
        expect(fourccName(fourccCode(name))).toBe(name);
      }),
    );
  });

  it.each(['', 'XR245', 'XRé4', 'X\0'])('refuses %j', (name) => {
    expect(() => fourccCode(name)).toThrow(DmabrokerError);
  });

  it.each([0, 0xff, 0x0a0a0a0a])('refuses %d', (code) => {
    expect(() => fourccName(code)).toThrow(DmabrokerError);
  });
});
