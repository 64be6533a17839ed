import { describe, expect, it } from 'vitest';

import { explainOn } from './explain-on.js';

/**
 * Which tiles the shipped rules give on the machines that we know. Modifiers are those of `drm_fourcc.h`, sizes those of
 * `test/fixtures/mesa-layouts.txt`.
 */

const FULL_HD = { format: 'XR24', width: 1920, height: 1080 };
const [LINEAR, X, Y, Y_CCS] = ['0x0', '0x100000000000001', '0x100000000000002', '0x100000000000006'];

async function laidOut(machine: string, devices: readonly string[], image = FULL_HD) {
  const { layout } = await explainOn(machine, devices, image);
  return {
    modifier: layout?.image?.modifier,
    planes: layout?.image?.planes.map(({ offset, pitch }) => [Number(offset), pitch]),
    size: layout?.size,
  };
}

const render = (card: string, ...modifiers: readonly (string | undefined)[]) =>
  `${card}:render,modifiers=${modifiers.join('+')}`;
const scanout = (card: string, ...modifiers: readonly (string | undefined)[]) =>
  `${card}:scanout,modifiers=${modifiers.join('+')}`;
const CARD = '/dev/dri/card0';

describe('on an Intel laptop, a compositor', () => {
  it('that lists what its GPU renders gets Y tiles', async () => {
    const devices = [`${CARD}:scanout`, render(CARD, LINEAR, X, Y, Y_CCS)];
    expect(await laidOut('intel-laptop', devices)).toEqual({
      modifier: 0x0100_0000_0000_0002n,
      planes: [[0, 7680]],
      size: 8_355_840n,
    });
  });

  it('gets compressed ones where the display lists them, too', async () => {
    const devices = [scanout(CARD, LINEAR, Y_CCS), render(CARD, LINEAR, X, Y, Y_CCS)];
    expect(await laidOut('intel-laptop', devices)).toEqual({
      modifier: 0x0100_0000_0000_0006n,
      planes: [
        [0, 7680],
        [8_355_840, 960],
      ],
      size: 8_388_480n,
    });
  });

  it('gets linear where anything else uses the image, or nothing is listed', async () => {
    const linear = { modifier: 0n, planes: [[0, 7680]], size: 8_294_400n };
    const listed = render(CARD, LINEAR, Y);
    expect(await laidOut('intel-laptop', [listed, 'cpu:read'])).toEqual(linear);
    expect(await laidOut('intel-laptop', [listed, `${CARD}:texture`])).toEqual(linear);
    expect(await laidOut('intel-laptop', [`${CARD}:scanout`])).toEqual(linear);
    expect(await laidOut('intel-laptop', [`${CARD}:scanout`, `${CARD}:render`])).toEqual(linear);
  });

  it('has tiles in whole pixels of the pitch that another device asks for', async () => {
    const devices = [`${render(CARD, LINEAR, Y)},pitch-multiple=768`];
    // 7680 is a multiple of 128 and of 768; 1921 pixels are 7684 bytes, and the next such multiple is 8448.
    expect((await laidOut('intel-laptop', devices)).planes).toEqual([[0, 7680]]);
    expect((await laidOut('intel-laptop', devices, { ...FULL_HD, width: 1921 })).planes).toEqual([[0, 8448]]);
  });
});

describe('an explanation', () => {
  const reasons = async (devices: readonly string[], machine = 'intel-laptop') =>
    (await explainOn(machine, devices, FULL_HD)).leftOut?.map((line) => line.split(': '));

  it('says of each modifier that is left out why', async () => {
    const unknown = '0x10000000000000a';
    const devices = [`${CARD}:scanout`, render(CARD, LINEAR, X, Y, Y_CCS, unknown)];
    expect(await reasons(devices)).toEqual([
      ['LINEAR', `${Y} is preferred`],
      [X, `${Y} is preferred`],
      [Y_CCS, 'compressed, and not listed by every entry'],
      [
        unknown,
        expect.stringContaining('not among the formats of /dev/dri/card0 (entry 0, kernel') as string,
      ],
    ]);
    expect(await reasons([render(CARD, LINEAR, unknown)])).toEqual([
      [unknown, 'how it lays out XR24 is not known'],
    ]);
    expect(await reasons([render(CARD, LINEAR, Y), 'cpu:read'])).toEqual([
      [Y, 'not among the modifiers of cpu (entry 1, kernel:mmap)'],
    ]);
    expect(await reasons([`${render(CARD, LINEAR, X)},pitch-max=7900,pitch-multiple=7808`])).toEqual([
      [X, 'no layout of it, in memory that can hold it, meets what is asked'],
    ]);
  });

  it('says nothing where nothing else was listed', async () => {
    expect(await reasons([`${CARD}:scanout`])).toBeUndefined();
    expect(await reasons([render(CARD, Y)])).toBeUndefined();
  });
});

describe('on an AMD desktop', () => {
  it('a block of 64 KiB has the exact pitch that the shipped rules want of rows', async () => {
    const devices = [render(CARD, LINEAR, '0x200000000000901')];
    expect(await laidOut('amd-desktop', devices)).toEqual({
      modifier: 0x0200_0000_0000_0901n,
      planes: [[0, 7680]],
      size: 8_847_360n,
    });
    // Rows of 1366 pixels are 5464 bytes: 5632 exactly if linear, and eleven blocks of 512.
    expect((await laidOut('amd-desktop', devices, { ...FULL_HD, width: 1366 })).planes).toEqual([[0, 5632]]);
  });

  it('compression is left out', async () => {
    const devices = [render(CARD, LINEAR, '0x200000020937b03')];
    expect((await laidOut('amd-desktop', devices)).modifier).toBe(0n);
  });
});

describe('on a board with an RK3588', () => {
  it('AFBC needs the list of the display, and is as large as the largest consumer reads', async () => {
    const AFBC = '0x800000000000051';
    // Mesa's 8,486,400 bytes, whose 130,560 of headers MediaTek's display rounds up to 131,072 (mtk_plane.h).
    expect(await laidOut('rk3588-board', [scanout(CARD, LINEAR, AFBC)])).toEqual({
      modifier: 0x0800_0000_0000_0051n,
      planes: [[0, 7680]],
      size: 8_486_912n,
    });
    expect((await laidOut('rk3588-board', [`${CARD}:scanout`])).modifier).toBe(0n);
  });
});

describe('a request for tiles alone', () => {
  it('clashes with a device that takes none, and says who lists what', async () => {
    const { feasible, conflicts } = await explainOn(
      'intel-laptop',
      [render(CARD, Y), `${CARD}:texture`],
      FULL_HD,
    );
    expect(feasible).toBe(false);
    expect(conflicts.map(({ kind, origin }) => [origin.entry, kind, origin.source])).toEqual([
      [0, 'modifiers', 'client'],
      [1, 'modifiers', 'default'],
    ]);
  });

  it('clashes with a pitch that its tiles cannot have', async () => {
    const { conflicts } = await explainOn('intel-laptop', [`${render(CARD, X)},pitch-max=500`], {
      ...FULL_HD,
      width: 100,
    });
    expect(conflicts.map(({ kind }) => kind)).toEqual(['modifiers', 'pitch-max']);
  });

  it('clashes with all memory where the geometry is not known', async () => {
    const { conflicts } = await explainOn(
      'intel-nvidia-laptop',
      [render('/dev/dri/card1', '0x300000000606010')],
      FULL_HD,
    );
    const kinds = conflicts.map(({ kind, memory }) => [kind, memory !== undefined]);
    expect(kinds[0]).toEqual(['modifiers', false]);
    expect(kinds.slice(1).every(([kind, ofMemory]) => kind === 'modifiers' && ofMemory === true)).toBe(true);
  });
});
