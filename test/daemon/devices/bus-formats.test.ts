import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { BUS_FORMATS, pixelInMemory } from '../../../daemon/devices/bus-formats.js';

const HEADER = '/usr/include/linux/media-bus-format.h';

describe('pixelInMemory', () => {
  it.each([
    [0x300f, ['RG10', 'pRAA'], { format: 'packed 10-bit Bayer', bits: 10 }],
    [0x300f, ['RG10'], { format: '10-bit Bayer', bits: 16 }],
    [0x3012, ['RG12', 'pRAA', 'pRCC'], { format: 'packed 12-bit Bayer', bits: 12 }],
    [0x3012, ['RG12', 'pRAA'], { format: '12-bit Bayer', bits: 16 }],
    [0x3014, [], { format: '8-bit Bayer', bits: 8 }],
    [0x200a, ['Y10P'], { format: 'packed 10-bit grey', bits: 10 }],
    [0x2006, [], { format: '4:2:2 YUV', bits: 16 }],
    [0x100a, [], { format: '24-bit RGB', bits: 24 }],
  ])('of %d with %j is %o', (code, fourccs, pixel) => {
    expect(pixelInMemory(code, fourccs)).toEqual(pixel);
  });

  it('is not known of what is compressed', () => {
    expect(pixelInMemory(0x4001, ['JPEG'])).toBeUndefined();
  });
});

describe.runIf(existsSync(HEADER))("the kernel's header", () => {
  const codes = new Map(
    [...readFileSync(HEADER, 'latin1').matchAll(/^#define MEDIA_BUS_FMT_(\w+)\s+(0x[0-9a-f]+)/gm)].map(
      ([, name = '', code]) => [Number(code), name],
    ),
  );
  const SHAPES = {
    Bayer: /^S[RGB]{4}(\d+)_1X\1$/,
    grey: /^Y(\d+)_1X\1$/,
    YUV: /^[UYV]{4}8_(2X8|1X16)$/,
    RGB: /^(RGB|BGR)/,
  };

  it.each(BUS_FORMATS.flatMap(([format, ...all]) => all.map((code) => ({ code, ...format }))))(
    'has $code for $bits bits of $kind',
    ({ code, kind, bits }) => {
      const name = codes.get(code) ?? '';
      const [, depth] = SHAPES[kind].exec(name) ?? [];
      expect(depth).toBeDefined();
      if (kind === 'Bayer' || kind === 'grey') expect(Number(depth)).toBe(bits);
      if (kind === 'YUV') expect(bits).toBe(16);
      if (kind === 'RGB') expect(name).toContain(bits === 24 ? '888' : '565');
    },
  );
});
