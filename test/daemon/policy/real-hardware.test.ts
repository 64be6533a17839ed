import { describe, expect, it } from 'vitest';

import type { Device, FormatFact, LimitFact } from '../../../daemon/devices/inventory.js';
import type { Use } from '../../../dbus/names.js';
import { device } from '../../tools/devices.js';
import { conflictOn, explainOn, machineOf, pitchesOn } from './explain-on.js';

/**
 * What the shipped rules make of pictures that were reported to be wrong: each value from the source beside it. Files are
 * of Linux below drivers/gpu/drm, where nothing else is said.
 */

const image = (format: string, width: number, height: number) => ({ format, width, height });

const linear = (use: Use, formats: string): readonly FormatFact[] =>
  formats.split(' ').map((format) => ({ format, modifiers: [0n], uses: [use], source: 'kernel:IN_FORMATS' }));

/** What recorded profiles say of dumb buffers. */
const dumbStep = (value: number): LimitFact => ({
  limit: 'pitch-multiple',
  value,
  source: 'kernel:CREATE_DUMB',
  uses: ['scanout'],
});

/** A display with a driver of this name, dumb buffers in steps of 64 and no other device beside it. */
const display = (driver: string, more: Partial<Device> = {}): Device =>
  device({ driver, limits: [dumbStep(64)], ...more });

const shown = (driver: string, format: string, width: number, height: number, more?: Partial<Device>) =>
  pitchesOn(machineOf(display(driver, more)), ['/dev/dri/card0:scanout'], image(format, width, height));

describe('displays without a pitch register', () => {
  // mxsfb/mxsfb_drv.c, mxsfb_fb_create: pitch == width × cpp
  it('take the bytes of a row on an i.MX8M', async () => {
    const lcdif = ['/dev/dri/card1:scanout'];
    expect(await pitchesOn('imx8m-board', lcdif, image('RG16', 1366, 768))).toEqual([2732]);
    const besides = (multiple: number) => [...lcdif, `cpu:read,pitch-multiple=${multiple}`];
    expect(await pitchesOn('imx8m-board', besides(32), image('XR24', 680, 800))).toEqual([2720]);
    expect(await conflictOn('imx8m-board', besides(64), image('XR24', 680, 800))).toEqual([
      '/dev/dri/card1 pitch-exact',
      'cpu pitch-multiple',
    ]);
  });

  it.each([
    ...['mxsfb-drm', 'fsl-dcu-drm', 'tilcdc', 'pl111', 'mcde', 'tve200', 'ingenic-drm', 'aspeed-gfx-drm'],
    'arcpgu',
  ])('take it on %s, whatever its dumb buffers have', async (driver) => {
    expect(await shown(driver, 'RG16', 1366, 768)).toEqual([2732]);
  });
});

describe('displays that take any pitch', () => {
  // rockchip/rockchip_drm_vop.c: words of 4 bytes; rockchip_gem_dumb_create has 64 "since Mali requires it"
  it('show NV15 as a decoder of the RK3399 has it', async () => {
    const vop = display('rockchip', { formats: linear('scanout', 'NV12 NV15') });
    const rkvdec = device({
      node: '/dev/video1',
      number: '81:1',
      subsystem: 'video4linux',
      driver: 'rkvdec',
      uses: ['decode'],
      formats: linear('decode', 'NV12 NV15'),
      limits: [{ limit: 'pitch-exact', value: 16, source: 'kernel:TRY_FMT', uses: ['decode'] }],
    });
    const both = ['/dev/video1:decode', '/dev/dri/card0:scanout'];
    expect(await pitchesOn(machineOf(vop, rkvdec), both, image('NV15', 1920, 1080))).toEqual([2400, 2400]);
  });

  it.each(['vc4', 'stm', 'sti', 'hdlcd', 'mediatek', 'armada-drm', 'sun4i-drm', 'imx-lcdif', 'kirin'])(
    'show rows without padding on %s, whatever its dumb buffers have',
    async (driver) => {
      expect(await shown(driver, 'XR24', 1366, 768)).toEqual([5464]);
    },
  );
});

describe('planes whose pitches are tied together', () => {
  // renesas/rcar-du/rcar_du_kms.c, rcar_du_fb_create: chroma_pitch = pitches[0] / hsub
  it.each(['rcar-du', 'rzg2l-du'])('are so on %s', async (driver) => {
    expect(await shown(driver, 'YU12', 1920, 1080)).toEqual([1920, 960, 960]);
  });
});

describe('GPUs', () => {
  const rendered = (
    driver: string,
    format: string,
    size: readonly [number, number],
    more: Partial<Device> = {},
  ) =>
    explainOn(
      machineOf(device({ driver, uses: ['scanout', 'render', 'texture'], ...more })),
      ['/dev/dri/card0:render'],
      image(format, ...size),
    );
  const pitchOf = async (...asked: Parameters<typeof rendered>) =>
    (await rendered(...asked)).layout?.image?.planes.map(({ pitch }) => pitch);

  // Mesa, freedreno_devices.py: gmem_align_w 64 on a5xx, 32 on a2xx to a4xx, 16 on a6xx
  it.each([
    ['adreno', 'qcom,adreno-530.2', 'XR24', [5632]],
    ['adreno', 'qcom,adreno-305.18', 'XR24', [5504]],
    ['adreno', 'qcom,adreno-690.0', 'XR24', [5504]],
    ['msm_dpu', 'qcom,msm8998-dpu', 'XR24', [5632]],
    ['adreno', 'qcom,adreno-530.2', 'RG16', [2816]],
    ['adreno', 'qcom,adreno-530.2', 'AB4H', [11_264]],
    ['adreno', 'qcom,adreno-530.2', 'NV12', [1408, 1408]],
    ['etnaviv', 'vivante,gc', 'XR24', [5504]],
    ['etnaviv', 'vivante,gc', 'RG16', [2752]],
  ])('render whole units of pixels: %s (%s), %s', async (driver, compatible, format, pitches) => {
    expect(await pitchOf(driver, format, [1366, 768], { compatible: [compatible] })).toEqual(pitches);
  });

  it('show other pitches than they render', async () => {
    expect(await shown('msm_dpu', 'XR24', 1366, 768)).toEqual([5464]);
  });

  // Mesa, etnaviv_resource.c, etna_layout_multiple, and lima_resource.c
  it.each([
    ['etnaviv', 256n * 36n],
    ['lima', 256n * 48n],
  ])('have rows in fours on Vivante, and in sixteens of what Mali-400 renders: %s', async (driver, size) => {
    expect((await rendered(driver, 'XR24', [64, 33])).layout?.size).toBe(size);
  });

  // Mesa, lima_resource.c, lima_resource_from_handle: 16 pixels, of 8 bytes each
  it('take 128 bytes of 8-byte pixels on Mali-400', async () => {
    expect(await pitchOf('lima', 'AB4H', [1366, 768])).toEqual([11_008]);
    expect(await pitchOf('lima', 'XR24', [1366, 768])).toEqual([5504]);
  });

  // Mesa, ac_surface.c, ac_surface_override_offset_stride: require_equal_pitch on GFX10 alone
  it.each([
    ['1002:163f', [4096]],
    ['1002:73bf', [4096]],
    ['1002:15d8', [4096]],
    ['1002:731f', undefined],
  ])('of AMD take longer rows, but for the first RDNA: %s', async (pci, pitches) => {
    const gpu = device({ driver: 'amdgpu', pci, uses: ['scanout', 'render'] });
    const asked = ['/dev/dri/card0:render', 'cpu:read,pitch-multiple=512'];
    expect(await pitchesOn(machineOf(gpu), asked, image('RG16', 1920, 1080))).toEqual(pitches);
  });

  // Mesa 26, v3d_resource.c: texture units read 64 bytes ahead
  it('leave room for what the Raspberry Pi reads ahead', async () => {
    expect((await rendered('v3d', 'XR24', [64, 64])).layout?.size).toBe(64n * 64n * 4n + 64n);
  });
});

describe('displays whose pitch depends on its size', () => {
  const card0 = ['/dev/dri/card0:scanout'];

  // i915/display/intel_fb.c, intel_fb_stride_alignment, with skl_plane_max_stride
  it.each([
    ['XR24', 8192, [32_768]],
    ['XR24', 8193, [36_864]],
    ['XR24', 11_520, [49_152]],
    ['RG16', 11_520, [24_576]],
    ['RG16', 8192, [16_384]],
    ['XR24', 1366, [5504]],
  ])('is a page of Intel’s displays to version 12: %s, %d pixels', async (format, width, pitches) => {
    expect(await pitchesOn('intel-nvidia-laptop', card0, image(format, width, 2160))).toEqual(pitches);
  });

  // The same with adl_plane_max_stride: 131,072 bytes
  it('is none of 46,080 bytes from version 13 on', async () => {
    expect(await pitchesOn('intel-laptop', card0, image('XR24', 11_520, 2160))).toEqual([46_080]);
  });
});

describe('buffers that are larger than their planes', () => {
  const sizeOf = async (...asked: Parameters<typeof explainOn>) =>
    (await explainOn(...asked)).layout?.size ?? 0n;
  const codec = (driver: string): Device =>
    device({ node: '/dev/video1', number: '81:1', subsystem: 'video4linux', driver, uses: ['decode'] });

  // drivers/media/platform/qcom/venus/helpers.c, get_framesize_raw_nv12
  it('are so on Venus', async () => {
    expect(await sizeOf('qualcomm-laptop', ['/dev/video0:decode'], image('NV12', 1920, 1080))).toBe(
      3_145_728n,
    );
  });

  // rkvdec_fill_decoded_pixfmt: 128 bytes a macroblock; hantro_h264_mv_size: 64 and 32
  it.each([
    ['rkvdec', 128n * 120n * 68n],
    ['hantro-vpu', 64n * 120n * 68n + 32n],
  ])('have motion vectors behind them: %s', async (driver, vectors) => {
    const size = await sizeOf(machineOf(codec(driver)), ['/dev/video1:decode'], image('NV12', 1920, 1088));
    expect(size).toBeGreaterThanOrEqual((1920n * 1088n * 3n) / 2n + vectors);
  });

  // hantro_vp9_mv_size: 1,024 bytes for each 64 × 64 pixels
  it.each([
    [176, 144],
    [352, 288],
    [1280, 720],
    [1920, 1080],
    [3840, 2160],
  ])('do so of VP9, %d × %d pixels', async (width, height) => {
    const size = await sizeOf(
      machineOf(codec('hantro-vpu')),
      ['/dev/video1:decode'],
      image('NV12', width, height),
    );
    const vectors = 1024 * Math.ceil(width / 64) * Math.ceil(height / 64);
    expect(Number(size)).toBeGreaterThanOrEqual((width * height * 3) / 2 + vectors);
  });
});

describe('planes with descriptors of their own', () => {
  // s5p_mfc_opr_v6.c, s5p_mfc_dec_calc_dpb_size_v6: NV12M alone, with calc_plane and S5P_FIMV_D_ALIGN_PLANE_SIZE_V8
  it.each([
    [1920, 1080],
    [1280, 720],
    [2560, 1440],
    [352, 288],
    [638, 478],
  ])('hold what the MFC writes, %d × %d pixels', async (width, height) => {
    const planes = { source: 'kernel:ENUM_FMT', uses: ['decode'], formats: ['NV12'] } as const;
    const mfc = device({
      node: '/dev/video1',
      number: '81:1',
      subsystem: 'video4linux',
      driver: 's5p-mfc',
      uses: ['decode'],
      formats: linear('decode', 'NV12'),
      limits: [{ limit: 'planes-apart', value: true, ...planes }],
    });
    const { layout } = await explainOn(machineOf(mfc), ['/dev/video1:decode'], image('NV12', width, height));
    const macroblocks = (rows: number) => Math.ceil(rows / 16);
    const plane = (rows: number) =>
      macroblocks(width) *
        (width * rows < 2048 * 1024 ? 2 * Math.ceil(macroblocks(rows) / 2) : macroblocks(rows)) *
        256 +
      64;
    const [luma = 0n, chroma = 0n, ...others] = layout?.fdSizes ?? [];
    expect(others).toEqual([]);
    expect(Number(luma)).toBeGreaterThanOrEqual(plane(height));
    expect(Number(chroma)).toBeGreaterThanOrEqual(plane(height / 2));
    const step = 16 * macroblocks(width);
    expect(layout?.image?.planes.map(({ pitch }) => pitch)).toEqual([step, step]);
  });

  // i915/display/intel_fb.c, intel_framebuffer_init; amdgpu_display.c, amdgpu_display_framebuffer_init
  it.each(['intel-laptop', 'amd-desktop'])('are not shown on %s', async (name) => {
    const asked = ['/dev/dri/card0:scanout', 'cpu:write,planes-apart'];
    expect(await conflictOn(name, asked, image('NV12', 1920, 1080))).toEqual([
      '/dev/dri/card0 planes-apart',
      'cpu planes-apart',
    ]);
  });
});

describe('planes that follow one another at once', () => {
  const asked = (offset: number) => [
    '/dev/video14:capture',
    `/dev/dri/card0:texture,offset-multiple=${offset}`,
  ];

  // V4L2 has one address for all planes: chroma begins at bytesperline × height; bcm2835_isp_node_try_fmt fixes the former.
  it('leave chroma at 230,400 on a Raspberry Pi', async () => {
    const nv12 = image('NV12', 640, 360);
    expect(await conflictOn('raspberry-pi-4', asked(4096), nv12)).toEqual([
      '/dev/video14 pitch-exact',
      '/dev/video14 planes-contiguous',
      '/dev/dri/card0 offset-multiple',
    ]);
    const { layout } = await explainOn('raspberry-pi-4', asked(1024), nv12);
    expect(layout?.image?.planes).toEqual([
      { offset: 0n, pitch: 640 },
      { offset: 230_400n, pitch: 640 },
    ]);
  });

  it('begin where a page does where the rows are so', async () => {
    const { layout } = await explainOn('raspberry-pi-4', asked(4096), image('NV12', 1280, 720));
    expect(layout?.image?.planes[1]).toEqual({ offset: 921_600n, pitch: 1280 });
  });

  it('have a longer pitch where the driver takes one', async () => {
    const camera = device({
      node: '/dev/video1',
      number: '81:1',
      subsystem: 'video4linux',
      driver: 'rkisp1',
      uses: ['capture'],
      limits: [{ limit: 'planes-contiguous', value: true, source: 'kernel:ENUM_FMT' }],
    });
    const both = ['/dev/video1:capture', 'cpu:read,offset-multiple=4096'];
    const { layout } = await explainOn(machineOf(camera), both, image('NV12', 640, 360));
    expect(layout?.image?.planes[1]?.offset).toBe(368_640n);
  });

  it('have the rows that their own device counts, and not those of another', async () => {
    const decoder = device({
      node: '/dev/video1',
      number: '81:1',
      subsystem: 'video4linux',
      driver: 'hantro-vpu',
      uses: ['decode'],
      limits: [
        { limit: 'planes-contiguous', value: true, source: 'kernel:ENUM_FMT' },
        { limit: 'height-multiple', value: 16, source: 'kernel:TRY_FMT' },
      ],
    });
    const nv12 = image('NV12', 1920, 1080);
    const { layout } = await explainOn(machineOf(decoder), ['/dev/video1:decode'], nv12);
    expect(layout?.image?.planes[1]?.offset).toBe(1920n * 1088n);
    const besides = (rows: number) => ['/dev/video1:decode', `cpu:read,height-multiple=${rows}`];
    expect(await conflictOn(machineOf(decoder), besides(32), nv12)).toEqual([]);
    expect(await conflictOn(machineOf(decoder), besides(128), nv12)).toEqual([
      '/dev/video1 planes-contiguous',
      'cpu height-multiple',
    ]);
  });
});

describe('formats whose pixels do not fill bytes', () => {
  // Four pixels of NV15 take 5 bytes.
  it('have a pitch of whole units of pixels', async () => {
    const asked = ['cpu:read,width-multiple=64'];
    expect(await pitchesOn(machineOf(), asked, image('NV15', 1366, 768))).toEqual([1760, 1760]);
    expect(await pitchesOn(machineOf(), asked, image('NV12', 1366, 768))).toEqual([1408, 1408]);
  });
});

describe('a driver that no rule knows', () => {
  it('has the pitch of its dumb buffers where others take it', async () => {
    expect(await shown('frobnicator', 'XR24', 1366, 768)).toEqual([5504]);
  });

  it('gives way where another device takes none but its own', async () => {
    const asked = ['/dev/dri/card0:scanout', 'cpu:read,pitch-exact=8'];
    expect(await pitchesOn(machineOf(display('frobnicator')), asked, image('XR24', 1366, 768))).toEqual([
      5464,
    ]);
  });

  it('does not where its display refused the rest', async () => {
    const asked = ['/dev/dri/card0:scanout', 'cpu:read,pitch-exact=8'];
    const strict = display('frobnicator', { limits: [{ ...dumbStep(64), source: 'trial:ADDFB2:EINVAL' }] });
    expect(await conflictOn(machineOf(strict), asked, image('XR24', 1366, 768))).toEqual([
      '/dev/dri/card0 pitch-multiple',
      'cpu pitch-exact',
    ]);
  });
});
