import { describe, expect, it } from 'vitest';

import type { Device, FormatFact, LimitFact } from '../../../daemon/devices/inventory.js';
import type { Use } from '../../../dbus/names.js';
import { device } from '../../tools/devices.js';
import { conflictOn, machineOf, pitchesOn } from './explain-on.js';

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
