import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decide } from '../../../../daemon/constraints/decide.js';
import { pixelFormat } from '../../../../daemon/constraints/formats.js';
import type { Layout, Memory } from '../../../../daemon/constraints/constraint-types.js';
import { runs } from '../../../harness/runs.js';

/** What the kernel's drivers check when a buffer becomes a framebuffer (ADDFB2), written from Linux 6.12. */

type Image = NonNullable<Layout['image']>;

/** A buffer as a program that lists one modifier gets it. */
function laidOut(fourcc: string, modifier: bigint, width: number, height: number): Image & { size: bigint } {
  const format = pixelFormat(fourcc);
  if (format === undefined) throw new Error(`no format ${fourcc}`);
  const pages: Memory = {
    handle: 'p-pages',
    class: 'scattered',
    contiguous: false,
    protected: false,
    modifiers: [0n, modifier],
    addressBits: 36,
  };
  const decision = decide({
    content: { format, width, height },
    constraints: [
      {
        kind: 'modifiers',
        value: [modifier],
        origin: { entry: 0, device: '/dev/dri/card0', source: 'client' },
      },
    ],
    memories: [pages],
  });
  if (!decision.feasible || decision.layout.image === undefined) throw new Error('no layout');
  return { ...decision.layout.image, size: decision.layout.size };
}

const extent = fc.integer({ min: 1, max: 8192 });
const up = (value: number, step: number): number => Math.ceil(value / step) * step;
const SAMPLE: Readonly<Record<string, number>> = { 'R8  ': 1, RG16: 2, XR24: 4, AB4H: 8 };
const bytesOf = (fourcc: string): number => SAMPLE[fourcc] ?? NaN;

describe('a framebuffer of', () => {
  // amdgpu/amdgpu_display.c: get_block_dimensions, amdgpu_display_verify_plane
  it.each([
    ['64 KiB blocks of AMD', 0x0200_0000_0000_0901n, 16],
    ['256 KiB blocks of AMD', 0x0200_0000_28a0_1f04n, 18],
  ])('%s has whole blocks', (_what, modifier, log2) => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(SAMPLE)), extent, extent, (fourcc, width, height) => {
        const { planes, size } = laidOut(fourcc, modifier, width, height);
        const cpp = bytesOf(fourcc);
        const pixels = log2 - Math.log2(cpp);
        const blockWidth = 2 ** Math.floor((pixels + 1) / 2);
        const blockHeight = 2 ** Math.floor(pixels / 2);
        const [plane] = planes;
        const pitch = plane?.pitch ?? NaN;
        expect(pitch % (blockWidth * cpp)).toBe(0);
        expect(pitch).toBeGreaterThanOrEqual(up(width * cpp, blockWidth * cpp));
        expect(plane?.offset).toBe(0n);
        expect(Number(size)).toBeGreaterThanOrEqual(pitch * up(height, blockHeight));
      }),
      runs(300),
    );
  });

  // drm_gem_framebuffer_helper.c: drm_gem_afbc_min_size
  it.each([
    ['AFBC, 16 × 16', 0x0800_0000_0000_0041n, ['R8  ', 'RG16', 'XR24'], 16, 16, 64],
    ['AFBC, 32 × 8', 0x0800_0000_0000_0042n, ['R8  ', 'RG16'], 32, 8, 64],
    ['split AFBC, 32 × 8', 0x0800_0000_0000_0062n, ['XR24'], 32, 8, 64],
    ['AFBC with tiled headers', 0x0800_0000_0000_0341n, ['R8  ', 'RG16', 'XR24'], 128, 128, 4096],
  ])('%s has the least size', (_what, modifier, fourccs, blockWidth, blockHeight, headerStep) => {
    fc.assert(
      fc.property(fc.constantFrom(...fourccs), extent, extent, (fourcc, width, height) => {
        const { planes, size } = laidOut(fourcc, modifier, width, height);
        const blocks = (up(width, blockWidth) * up(height, blockHeight)) / 256;
        const body = up(bytesOf(fourcc) * 256, 128);
        expect(Number(size)).toBeGreaterThanOrEqual(up(blocks * 16, headerStep) + blocks * body);
        expect(planes).toHaveLength(1);
      }),
      runs(300),
    );
  });

  // i915/display/intel_fb.c: gen12_ccs_aux_stride, intel_fb_stride_alignment, tile offsets of a page
  it.each([
    ['gen 12 CCS', 0x0100_0000_0000_0006n, 2],
    ['gen 12 CCS with a clear colour', 0x0100_0000_0000_0008n, 3],
    ['Meteor Lake CCS', 0x0100_0000_0000_000dn, 2],
    ['Meteor Lake CCS with a clear colour', 0x0100_0000_0000_000fn, 3],
  ])('%s has the pitch of its state that follows', (_what, modifier, count) => {
    fc.assert(
      fc.property(extent, extent, (width, height) => {
        const { planes, size } = laidOut('XR24', modifier, width, height);
        const [pixels, state, colour] = planes;
        expect(planes).toHaveLength(count);
        expect((pixels?.pitch ?? NaN) % 512).toBe(0);
        expect(state?.pitch).toBe(Math.ceil((pixels?.pitch ?? NaN) / 512) * 64);
        expect(planes.every(({ offset }) => offset % 4096n === 0n)).toBe(true);
        expect(size).toBeGreaterThanOrEqual((colour ?? state ?? { offset: size }).offset + 64n);
      }),
      runs(300),
    );
  });

  // The same: skl_ccs; a display plane wider than 3,840 pixels has a pitch of four tiles
  it('gen 9 CCS has whole tiles, in fours where it is wide', () => {
    fc.assert(
      fc.property(extent, extent, (width, height) => {
        const { planes } = laidOut('XR24', 0x0100_0000_0000_0004n, width, height);
        const [pixels, state] = planes;
        expect((pixels?.pitch ?? NaN) % (width > 3840 ? 512 : 128)).toBe(0);
        expect((state?.pitch ?? NaN) % 128).toBe(0);
        expect((state?.offset ?? 1n) % 4096n).toBe(0n);
      }),
      runs(300),
    );
  });
});
