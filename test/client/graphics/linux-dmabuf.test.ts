import { describe, expect, it } from 'vitest';

import { DmabrokerError } from '../../../client/errors.js';
import { linuxDmabufParams } from '../../../client/graphics/linux-dmabuf.js';
import type { ImageLayout } from '../../../client/model.js';

const NV12: ImageLayout = {
  format: 'NV12',
  modifier: 0x0100_0000_8000_0002n,
  width: 1920,
  height: 1080,
  planes: [
    { offset: 0n, pitch: 2048 },
    { offset: 2_211_840n, pitch: 2048 },
  ],
  size: 3_317_760n,
  count: 1,
  pool: 'p',
  cpuAccess: 'cached',
};

describe('linuxDmabufParams', () => {
  it('says every plane and the whole', () => {
    const modifier = { modifierHi: 0x0100_0000, modifierLo: 0x8000_0002 };
    expect(linuxDmabufParams(NV12, 7)).toEqual({
      planes: [
        { fd: 7, planeIndex: 0, offset: 0, stride: 2048, ...modifier },
        { fd: 7, planeIndex: 1, offset: 2_211_840, stride: 2048, ...modifier },
      ],
      create: { width: 1920, height: 1080, format: 0x3231564e, flags: 0 },
    });
  });

  it('says for each plane the descriptor that it lies in', () => {
    const planes = [
      { offset: 0n, pitch: 2048 },
      { offset: 64n, pitch: 2048 },
      { offset: 0n, pitch: 2048 },
    ];
    const apart = { ...NV12, planes, planeFds: [0, 1, 1], fdSizes: [2_211_840n, 1_105_920n] };
    expect(linuxDmabufParams(apart, [7, 9]).planes.map(({ fd }) => fd)).toEqual([7, 9, 9]);
    expect(() => linuxDmabufParams(apart, 7)).toThrow(DmabrokerError);
    expect(() => linuxDmabufParams(NV12, [7, 9])).toThrow(DmabrokerError);
    expect(() => linuxDmabufParams({ ...apart, planeFds: [0, 1, 2] }, [7, 9])).toThrow(DmabrokerError);
  });

  it('refuses an offset beyond the 32 bits of the protocol', () => {
    const far = { ...NV12, planes: [{ offset: 1n << 32n, pitch: 64 }] };
    expect(() => linuxDmabufParams(far, 7)).toThrow(DmabrokerError);
  });
});
