import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connect } from '../../../../client/index.js';
import { startDaemon, type RunningDaemon } from '../../../harness/daemon.js';
import { startBus, type PrivateBus } from '../../../harness/private-bus.js';
import { writePolicy } from '../../../harness/root-policy.js';
import { TemporaryDirectory } from '../../../integration/rig.js';
import { Gstreamer, hasGstreamer } from './rig.js';

const PROFILE = fileURLToPath(new URL('../../../fixtures/profiles/intel-laptop.json', import.meta.url));
const SLOW = 180_000;
/** Those of enum dmabroker_limit, as the property has them. */
const LIMITS =
  'pitch-multiple pitch-exact pitch-linked pitch-min pitch-max offset-multiple height-multiple size-multiple max-width max-height contiguous protected address-bits min-buffers'.split(
    ' ',
  );
/** GstResourceError of gsterror.h. */
const NOT_FOUND = 3;
const SETTINGS = 13;
const NO_SPACE_LEFT = 14;

const caps = (width: number, height: number, format = 'BGRx'): string =>
  `video/x-raw,format=${format},width=${width},height=${height},framerate=30/1`;

describe.skipIf(!hasGstreamer)('the GStreamer element', { timeout: SLOW }, () => {
  const directory = new TemporaryDirectory();
  let bus: PrivateBus;
  let daemon: RunningDaemon;
  let gstreamer: Gstreamer;
  beforeAll(async () => {
    bus = await startBus();
    daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
    gstreamer = await Gstreamer.build(directory.path);
  }, SLOW);
  afterAll(async () => {
    await (daemon as RunningDaemon | undefined)?.stop();
    await (bus as PrivateBus | undefined)?.stop();
    directory[Symbol.dispose]();
  });

  const element = (devices = 'cpu:read,write'): string =>
    `dmabroker devices="${devices}" bus="${bus.address}"`;
  const source = (frames: number): string => `videotestsrc num-buffers=${frames} pattern=black`;

  /** What the service counts when everything is given back. */
  async function nothingIsHeld(): Promise<void> {
    await using broker = await connect({ bus: bus.address });
    await expect.poll(async () => (await broker.status()).liveBuffers, { timeout: 10_000 }).toBe(0n);
  }

  it('reads well in gst-inspect-1.0', async () => {
    const said = await gstreamer.inspect();
    expect(said).toMatch(/Rank +none \(0\)/);
    for (const name of ['bus', 'devices', 'label', 'timeout'])
      expect(said).toMatch(new RegExp(`^  ${name} +: `, 'm'));
    expect(said).toContain('memory:DMABuf');
    for (const limit of LIMITS) expect(said).toContain(limit);
  });

  it('lets a thousand frames go round in a few buffers', async () => {
    const said = await gstreamer.play(
      `${source(1000)} ! ${caps(640, 480)} ! ${element()} ! fakesink name=sink`,
    );
    expect(said).toMatchObject({
      eos: [''],
      frames: ['1000'],
      'fd-frames': ['1000'],
      'dmabuf-frames': ['0'],
      'late-descriptors': ['0'],
      'left-descriptors': ['0'],
    });
    expect(Number(said['distinct']?.[0])).toBeLessThan(5);
    await nothingIsHeld();
  });

  it('begins with the buffers that the devices need', async () => {
    const said = await gstreamer.play(
      `${source(60)} ! ${caps(640, 480)} ! ${element('cpu:read,write,min-buffers=4')} ! fakesink name=sink`,
    );
    expect(said).toMatchObject({
      eos: [''],
      'fd-frames': ['60'],
      distinct: ['4'],
      'left-descriptors': ['0'],
    });
    await nothingIsHeld();
  });

  it.each(['pitch-linked', 'pitch-linked=true', 'contiguous=false'])('takes the flag %s', async (flag) => {
    const said = await gstreamer.play(
      `${source(2)} ! ${caps(640, 480)} ! ${element(`cpu:write,${flag}`)} ! fakesink name=sink`,
    );
    expect(said).toMatchObject({ eos: [''], 'fd-frames': ['2'] });
  });

  it('gives buffers the layout that every device takes', async () => {
    // 1366 pixels are 5464 bytes, and 6144 is the next multiple of 1024.
    const devices = '/dev/dri/card0:scanout cpu:write,pitch-multiple=1024';
    const said = await gstreamer.play(
      `${source(60)} ! ${caps(1366, 768)} ! ${element(devices)} ! fakesink name=sink`,
      '-m',
    );
    expect(said).toMatchObject({ eos: [''], stride: ['6144'], 'fd-frames': ['60'] });
    await nothingIsHeld();
  });

  it('has one plane behind another', async () => {
    const said = await gstreamer.play(
      `${source(60)} ! ${caps(642, 482, 'I420')} ! ${element()} ! fakesink name=sink`,
    );
    expect(said).toMatchObject({ eos: [''], 'fd-frames': ['60'], stride: ['644'] });
  });

  it('goes with changes of the format', async () => {
    const said = await gstreamer.play(
      `${source(300)} ! capsfilter name=caps caps="${caps(640, 480)}" ! ${element()} ! fakesink name=sink`,
      ...[caps(320, 240), caps(1920, 1080), caps(320, 240, 'NV12'), caps(640, 480)],
    );
    expect(said).toMatchObject({
      eos: [''],
      frames: ['300'],
      'fd-frames': ['300'],
      stride: ['2560', '1280', '7680', '320', '2560'],
      'left-descriptors': ['0'],
    });
    await nothingIsHeld();
  });

  it('has memory back that was kept without its buffer', async () => {
    const said = await gstreamer.play(
      `${source(500)} ! ${caps(640, 480)} ! ${element()} ! fakesink name=sink`,
      '-k',
    );
    expect(said).toMatchObject({
      eos: [''],
      'fd-frames': ['500'],
      'late-descriptors': ['0'],
      'left-descriptors': ['0'],
    });
    expect(Number(said['distinct']?.[0])).toBeLessThan(5);
    await nothingIsHeld();
  });

  it('says that there is no broker', async () => {
    await using empty = await startBus();
    const said = await gstreamer.play(
      `${source(10)} ! ${caps(640, 480)} ! dmabroker name=broker bus="${empty.address}" ! fakesink name=sink`,
    );
    expect(said).toMatchObject({
      error: [`broker gst-resource-error-quark ${NOT_FOUND} There is no dma-buf broker on the bus`],
      frames: ['0'],
      'left-descriptors': ['0'],
    });
  });

  it.each([
    ['/dev/none:scanout', NOT_FOUND],
    ['cpu:draw', SETTINGS],
    ['cpu:pitch-multiple', SETTINGS],
    ['cpu:write,pitch-multiple=x', SETTINGS],
    ['cpu:write,contiguous=1', SETTINGS],
    ['  ', SETTINGS],
    ['cpu:write,pitch-exact=100,pitch-multiple=256', SETTINGS],
  ])('says what is wrong with the devices "%s"', async (devices, code) => {
    const said = await gstreamer.play(
      `${source(10)} ! ${caps(640, 480)} ! ${element(devices)} name=broker ! fakesink name=sink`,
    );
    expect(said['error']?.[0]).toMatch(new RegExp(`^broker gst-resource-error-quark ${code} .`));
    expect(said).toMatchObject({ frames: ['0'], 'left-descriptors': ['0'] });
  });

  it('refuses strides that downstream does not understand', async () => {
    const said = await gstreamer.play(
      `${source(10)} ! ${caps(100, 100)} ! ${element('cpu:write,pitch-multiple=256')} name=broker ! fakesink name=sink`,
    );
    expect(said['error']?.[0]).toMatch(new RegExp(`^broker gst-resource-error-quark ${SETTINGS} .`));
    expect(said).toMatchObject({ frames: ['0'] });
  });

  it('warns once where upstream has memory of its own', async () => {
    const said = await gstreamer.play(
      `${source(20)} ! ${caps(640, 480)} ! identity drop-allocation=true ! ${element()} name=broker ! fakesink name=sink`,
    );
    expect(said['warning']).toEqual([
      expect.stringMatching(`^broker gst-resource-error-quark ${SETTINGS} .`),
    ]);
    expect(said).toMatchObject({ eos: [''], frames: ['20'], 'fd-frames': ['0'] });
  });

  describe('at a quota of three buffers', () => {
    let small: PrivateBus;
    let sparing: RunningDaemon;
    beforeAll(async () => {
      writePolicy(directory.path, '[Quota]\nClientBuffers=3\n');
      small = await startBus();
      sparing = await startDaemon({ bus: small, args: ['--profile', PROFILE, '--root', directory.path] });
    });
    afterAll(async () => {
      await (sparing as RunningDaemon | undefined)?.stop();
      await (small as PrivateBus | undefined)?.stop();
    });
    const sparingly = (devices: string): string =>
      `dmabroker devices="${devices}" bus="${small.address}" name=broker`;

    it('waits for a buffer to come back', async () => {
      const said = await gstreamer.play(
        `${source(30)} ! ${caps(640, 480)} ! ${sparingly('cpu:read,write')} ! ` +
          'queue max-size-buffers=20 ! fakesink name=sink sync=true',
      );
      expect(said).toMatchObject({ eos: [''], frames: ['30'], 'fd-frames': ['30'], distinct: ['3'] });
      // What holds on to its buffers until there are more of them would wait for ever, so the reason is told, once.
      expect(said['warning']).toEqual([
        expect.stringMatching(`^broker gst-resource-error-quark ${NO_SPACE_LEFT} .`),
      ]);
      expect(said['error']).toBeUndefined();
    });

    it('says so where it has not even those that the devices need', async () => {
      const said = await gstreamer.play(
        `${source(30)} ! ${caps(640, 480)} ! ${sparingly('cpu:write,min-buffers=4')} ! fakesink name=sink`,
      );
      expect(said['error']?.[0]).toMatch(new RegExp(`^broker gst-resource-error-quark ${NO_SPACE_LEFT} .`));
      expect(said).toMatchObject({ frames: ['0'], 'left-descriptors': ['0'] });
    });

    it('tells upstream that waits for nothing', async () => {
      const said = await gstreamer.askPool(small.address, 'cpu:read,write', caps(640, 480));
      expect(said).toMatchObject({ buffer: ['1'], beyond: ['eos'] });
      expect(said['error']).toBeUndefined();
    });
  });

  it('refuses buffers whose size GStreamer has no number for', async () => {
    // 16384 rows of 1 MiB are 16 GiB.
    const said = await gstreamer.play(
      `${source(10)} ! ${caps(16, 16_384)} ! ${element('cpu:write,pitch-min=1048576')} name=broker ! ` +
        'queue max-size-buffers=8 max-size-bytes=0 ! fakesink name=sink sync=true',
      '-m',
    );
    expect(said['error']?.[0]).toMatch(new RegExp(`^broker gst-resource-error-quark ${SETTINGS} .`));
    expect(said).toMatchObject({ frames: ['0'] });
    await nothingIsHeld();
  });

  it('has a pool for its own picture, whose memory outlives it', async () => {
    const said = await gstreamer.askPool(bus.address, 'cpu:read,write', caps(640, 480));
    expect(said).toEqual({
      proposed: ['1'],
      // Nothing is downstream that does.
      strides: ['0'],
      'other-caps': ['0'],
      'no-meta': ['1'],
      meta: ['1'],
      active: ['1'],
      buffer: ['1'],
      beyond: ['ok'],
      outlives: ['1'],
    });
    await nothingIsHeld();
  });

  it('has no pool for a picture that cannot be asked for', async () => {
    const said = await gstreamer.askPool(bus.address, 'cpu:read,write', caps(640, 480, 'v308'));
    expect(said).toEqual({ proposed: ['0'], strides: ['0'] });
  });

  it('does not pass plain memory off as dma-bufs', async () => {
    const dmabufs = caps(640, 480).replace('x-raw', 'x-raw(memory:DMABuf)');
    const said = await gstreamer.askPool(bus.address, 'cpu:read,write', dmabufs);
    expect(said).toMatchObject({ proposed: ['1'], active: ['0'] });
    expect(said['error']?.[0]).toMatch(new RegExp(`^${SETTINGS} `));
    await nothingIsHeld();
  });
});
