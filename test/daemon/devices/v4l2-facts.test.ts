import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { KernelFiles } from '../../../daemon/devices/sysfs.js';
import { readV4l2 } from '../../../daemon/devices/v4l2-facts.js';
import { V4L2_CAP, type V4l2Format } from '../../../daemon/kernel/v4l2.js';
import { FakeKernel, roundingDriver, type FakeVideo } from '../../tools/fake-drivers.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';
import { naming } from '../../harness/naming.js';

const LINKED = { limit: 'pitch-linked', value: true, source: 'kernel:v4l2_pix_format' };
const DEVICE = '/sys/devices/platform/vpu';

const raw = (...codes: readonly string[]): readonly V4l2Format[] =>
  codes.map((fourcc) => ({ fourcc, description: '', compressed: false }));
const coded = (...codes: readonly string[]): readonly V4l2Format[] =>
  codes.map((fourcc) => ({ fourcc, description: '', compressed: true }));

let tree: SysfsTree;
let warnings: string[];
beforeEach(() => {
  tree = new SysfsTree();
  warnings = [];
});
afterEach(() => {
  tree[Symbol.dispose]();
});

async function readOne(video: FakeVideo) {
  tree.video('video0', '81:0', DEVICE).files({ [`${DEVICE}/video4linux/video0/name`]: 'a name\n' });
  const kernel = new FakeKernel({ video: { video0: video } });
  const [device] = await readV4l2(new KernelFiles(tree.root, (text) => warnings.push(text)), kernel, []);
  expect(kernel.opened.map(({ open }) => open)).toEqual([false]);
  return device;
}

const camera = (more: Partial<FakeVideo> = {}): FakeVideo => ({
  driver: 'uvcvideo',
  card: 'Camera',
  capabilities: V4L2_CAP.VIDEO_CAPTURE | V4L2_CAP.STREAMING,
  queues: { capture: raw('YUYV') },
  ...more,
});

const converter = (output: readonly V4l2Format[], capture: readonly V4l2Format[]): FakeVideo => ({
  driver: 'vpu',
  card: 'VPU',
  capabilities: V4L2_CAP.VIDEO_M2M_MPLANE,
  queues: { 'output-mplane': output, 'capture-mplane': capture },
});

describe('readV4l2', () => {
  it('knows a camera by its node, name and formats in terms of DRM', async () => {
    const device = await readOne(
      camera({ queues: { capture: [...raw('YUYV', 'RGB3', 'RG10'), ...coded('MJPG')] } }),
    );
    expect(device).toMatchObject({
      node: '/dev/video0',
      number: '81:0',
      subsystem: 'video4linux',
      driver: 'uvcvideo',
      name: 'a name',
      uses: ['capture'],
      formats: [
        { format: 'YUYV', modifiers: [0n], uses: ['capture'], source: 'kernel:ENUM_FMT' },
        { format: 'BG24', modifiers: [0n], uses: ['capture'], source: 'kernel:ENUM_FMT' },
        { format: 'RG10', modifiers: [0n], uses: ['capture'], source: 'kernel:ENUM_FMT' },
      ],
      otherFormats: [{ name: 'MJPG', uses: ['capture'], source: 'kernel:ENUM_FMT' }],
      limits: [LINKED],
    });
    expect(warnings).toEqual([]);
  });

  it('tells decoders, encoders and converters apart', async () => {
    const decoder = await readOne(converter(coded('H264'), [...raw('NV12', 'YM12'), ...coded('Q08C')]));
    expect(decoder?.uses).toEqual(['decode']);
    expect(decoder?.formats).toEqual([
      {
        format: 'NV12',
        modifiers: [0n, 0x0500_0000_0000_0001n],
        uses: ['decode'],
        source: 'kernel:ENUM_FMT',
      },
      { format: 'YU12', modifiers: [0n], uses: ['decode'], source: 'kernel:ENUM_FMT' },
    ]);
    expect(decoder?.otherFormats).toBeUndefined();
  });

  it('lets an encoder take formats with a buffer a plane, because the program says where each starts', async () => {
    const device = await readOne(converter(raw('NM12', 'NV12', 'YM12'), coded('H264')));
    expect(device?.uses).toEqual(['encode']);
    expect(device?.formats.map(({ format, modifiers }) => [format, modifiers])).toEqual([
      ['NV12', [0n]],
      ['YU12', [0n]],
    ]);
  });

  it('lets a converter both take and give', async () => {
    const device = await readOne(converter(raw('NV12'), raw('XR24')));
    expect(device?.uses).toEqual(['output', 'capture']);
    expect(device?.formats.map(({ format, uses }) => [format, uses])).toEqual([
      ['NV12', ['output']],
      ['XR24', ['capture']],
    ]);
  });

  it.each([
    [camera({ queues: { capture: raw('YUYV', 'NV12', 'YU12') } }), ['planes-contiguous capture NV12,YU12']],
    // With a buffer a plane, the program says where each begins, of what goes in.
    [converter(raw('NM12', 'NV12', 'YU12'), coded('H264')), ['planes-contiguous encode YU12']],
    [converter(raw('NM12', 'XR24'), coded('H264')), []],
    [
      camera({ queues: { capture: raw('NM12', 'NV12', 'YM12', 'NV21') } }),
      [
        'planes-contiguous capture NV21',
        'planes-contiguous capture NV12 or apart',
        'planes-apart capture YU12',
      ],
    ],
    [converter(coded('H264'), raw('NM12', 'XR24')), ['planes-apart decode NV12']],
  ])('says where the planes of each format are wanted (%#)', async (video, said) => {
    const places = (await readOne(video))?.limits.flatMap(({ limit, uses = [], formats = [], orApart }) =>
      limit === 'planes-contiguous' || limit === 'planes-apart'
        ? [`${limit} ${uses.join()} ${formats.join()}${orApart === true ? ' or apart' : ''}`]
        : [],
    );
    expect(places).toEqual(said);
  });

  it('says of a node of metadata that no image is of its format', async () => {
    const device = await readOne(camera({ capabilities: V4L2_CAP.META_CAPTURE, queues: {} }));
    expect(device).toMatchObject({
      uses: ['capture'],
      formats: [],
      otherFormats: [{ name: 'metadata', uses: ['capture'], source: 'kernel:QUERYCAP' }],
    });
  });

  it('keeps a node that cannot be opened, with a warning', async () => {
    tree.video('video0', '81:0', DEVICE).video('v4l-subdev0', '81:1', DEVICE);
    const kernel = new FakeKernel({ closed: { video0: 'EBUSY' } });
    const devices = await readV4l2(new KernelFiles(tree.root, (text) => warnings.push(text)), kernel, []);
    expect(devices).toMatchObject([{ node: '/dev/video0', driver: 'unknown', uses: [], limits: [LINKED] }]);
    expect(warnings).toEqual([expect.stringMatching(naming('/dev/video0', 'open', 'EBUSY'))]);
  });
});

describe('what TRY_FMT shows', () => {
  const limitsOf = async (video: FakeVideo) =>
    (await readOne(video))?.limits.slice(1).filter(({ limit }) => limit !== 'planes-contiguous');
  const source = 'kernel:TRY_FMT';
  const uses = ['capture'];

  it('is a pitch multiple of a driver that takes larger pitches', async () => {
    const tryFormat = roundingDriver({ step: 64, bytes: 2, max: 4096, listens: true });
    expect(await limitsOf(camera({ tryFormat }))).toEqual([
      { limit: 'pitch-multiple', value: 64, source, uses },
      { limit: 'max-width', value: 4096, source, uses },
      { limit: 'max-height', value: 4096, source, uses },
    ]);
  });

  it('is an exact pitch of a driver that keeps its own', async () => {
    const tryFormat = roundingDriver({ step: 1, bytes: 2, max: 65_535, listens: false });
    expect(await limitsOf(camera({ tryFormat }))).toEqual([{ limit: 'pitch-exact', value: 1, source, uses }]);
  });

  it('is nothing of a driver that takes any pitch', async () => {
    const tryFormat = roundingDriver({ step: 1, bytes: 2, max: 65_535, listens: true });
    expect(await limitsOf(camera({ tryFormat }))).toEqual([]);
  });

  it('finds the step by the granted sizes of a camera with few of them', async () => {
    const sizes = [640, 1280, 1920];
    const driver = roundingDriver({ step: 32, bytes: 2, max: 65_535, listens: false });
    const tryFormat: FakeVideo['tryFormat'] = (wish) => {
      const width = sizes.findLast((size) => size <= wish.width) ?? 640;
      return driver({ ...wish, width: width + 10, height: 480 });
    };
    expect(await limitsOf(camera({ tryFormat }))).toEqual([
      { limit: 'pitch-exact', value: 32, source, uses },
      { limit: 'max-width', value: 1930, source, uses },
      { limit: 'max-height', value: 480, source, uses },
    ]);
  });

  it('is nothing where the size follows the signal and not the wish', async () => {
    const driver = roundingDriver({ step: 64, bytes: 2, max: 65_535, listens: false });
    const tryFormat: FakeVideo['tryFormat'] = (wish) => driver({ ...wish, width: 1920, height: 1080 });
    expect(await limitsOf(camera({ tryFormat }))).toEqual([]);
  });

  it('is nothing where the driver refuses', async () => {
    expect(await limitsOf(camera({ tryFormat: () => 'EINVAL' }))).toEqual([]);
  });

  it('is nothing where the driver answers with another format', async () => {
    const driver = roundingDriver({ step: 64, bytes: 2, max: 4096, listens: true });
    const tryFormat: FakeVideo['tryFormat'] = (wish) => driver({ ...wish, fourcc: 'UYVY' });
    expect(await limitsOf(camera({ tryFormat }))).toEqual([]);
  });

  it('names the formats where they differ, and no exact pitch where planes have different ones', async () => {
    const planar = roundingDriver({ step: 32, bytes: 1, max: 65_535, listens: false });
    const packed = roundingDriver({ step: 64, bytes: 2, max: 65_535, listens: false });
    const tryFormat: FakeVideo['tryFormat'] = (wish) => (wish.fourcc === 'YUYV' ? packed : planar)(wish);
    expect(await limitsOf(camera({ tryFormat, queues: { capture: raw('YUYV', 'YU12', 'NV12') } }))).toEqual([
      { limit: 'pitch-exact', value: 64, source, uses, formats: ['YUYV'] },
      { limit: 'pitch-multiple', value: 32, source, uses, formats: ['YU12'] },
      { limit: 'pitch-exact', value: 32, source, uses, formats: ['NV12'] },
    ]);
  });

  it('is rows and bytes that lie behind an image, without which a buffer is refused', async () => {
    const plain = roundingDriver({ step: 1, bytes: 1, max: 65_535, listens: true });
    const tryFormat: FakeVideo['tryFormat'] = (wish) => {
      const image = plain(wish);
      const [{ bytesPerLine } = { bytesPerLine: 0 }] = image.planes;
      const rows = Math.ceil(wish.height / 16) * 16;
      const size = wish.fourcc === 'NV12' ? (bytesPerLine * rows * 3) / 2 : bytesPerLine * wish.height;
      const whole = wish.fourcc === 'NV12' ? size : Math.ceil(size / 4096) * 4096;
      return { ...image, planes: [{ bytesPerLine, size: whole }] };
    };
    expect(await limitsOf(camera({ tryFormat, queues: { capture: raw('NV12', 'GREY') } }))).toEqual([
      { limit: 'height-multiple', value: 16, source, uses, formats: ['NV12'] },
      { limit: 'size-multiple', value: 4096n, source, uses, formats: ['R8  '] },
    ]);
  });

  // A decoder of the likes of hantro: MPEG-2 in whole macroblocks, HEVC in blocks of 64 pixels.
  it.each([
    [['MG2S'], 'pitch-exact', 16],
    [['MG2S', 'S265'], 'pitch-multiple', 64],
  ])('holds whichever codec a decoder is set to: %s', async (codecs, limit, value) => {
    const tryFormat: FakeVideo['tryFormat'] = (wish, _queue, streams) =>
      roundingDriver({ step: streams === 'S265' ? 64 : 16, bytes: 1, max: 4096, listens: false })(wish);
    expect(await limitsOf({ ...converter(coded(...codecs), raw('NV12')), tryFormat })).toContainEqual({
      limit,
      value,
      source,
      uses: ['decode'],
    });
  });

  it('takes no largest size from a decoder, whose stream gives it', async () => {
    const decoder = converter(coded('H264'), raw('NV12'));
    const tryFormat = roundingDriver({ step: 16, bytes: 1, max: 4096, listens: true });
    expect(await limitsOf({ ...decoder, tryFormat })).toEqual([
      { limit: 'pitch-multiple', value: 16, source, uses: ['decode'] },
    ]);
  });
});
