import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readInventory } from '../../../daemon/devices/read-inventory.js';
import { MEDIA_ENT_F_CAM_SENSOR, MEDIA_ENT_F_IO_V4L } from '../../../daemon/kernel/camera-structs.js';
import { V4L2_CAP, type V4l2Format } from '../../../daemon/kernel/v4l2.js';
import { FakeKernel, type FakeDrivers, type FakeVideo } from '../../tools/fake-drivers.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';
import { naming } from '../../harness/naming.js';

const raw = (...codes: readonly string[]): readonly V4l2Format[] =>
  codes.map((fourcc) => ({ fourcc, description: '', compressed: false }));

const receiver = (more: Partial<FakeVideo> = {}): FakeVideo => ({
  driver: 'unicam',
  card: 'unicam',
  capabilities: V4L2_CAP.VIDEO_CAPTURE,
  queues: { capture: raw('RG10', 'pRAA', 'RG12', 'YUYV') },
  ...more,
});
const sensor = (name: string, number: string) => ({ name, type: MEDIA_ENT_F_CAM_SENSOR, number });
const video = (number: string) => ({ name: 'a node', type: MEDIA_ENT_F_IO_V4L, number });
/** RAW10 of SRGGB10_1X10 and SRGGB12_1X12. */
const [RAW10, RAW12] = [0x300f, 0x3012];

let tree: SysfsTree;
beforeEach(() => {
  tree = new SysfsTree().memory();
});
afterEach(() => {
  tree[Symbol.dispose]();
});

async function read(drivers: FakeDrivers) {
  const kernel = new FakeKernel(drivers);
  const ram = async (): Promise<number> => Promise.reject(new Error('not the live machine'));
  const { devices, warnings } = await readInventory({ root: tree.root, kernel, ram });
  expect(kernel.opened.map(({ open }) => open)).toEqual(kernel.opened.map(() => false));
  return { pictures: devices.slice(1).map((device) => device.pictures), warnings };
}

/** A receiver with metadata, and sensors behind it. */
const board = (...subdevices: readonly number[]): void => {
  tree
    .video('video0', '81:0', '/sys/devices/platform/csi')
    .video('video1', '81:1', '/sys/devices/platform/csi')
    .files({ '/dev/media0': '' });
  for (const index of subdevices) {
    tree
      .files({ [`/sys/devices/i2c/v4l-subdev${index}/dev`]: '', [`/dev/v4l-subdev${index}`]: '' })
      .link(`/sys/dev/char/81:${10 + index}`, `/sys/devices/i2c/v4l-subdev${index}`);
  }
};
const metadata: FakeVideo = {
  driver: 'unicam',
  card: 'unicam',
  capabilities: V4L2_CAP.META_CAPTURE,
  queues: {},
};

describe('the pictures of a camera', () => {
  it('are the largest of its sensor, as the receiver writes them', async () => {
    board(2);
    const { pictures, warnings } = await read({
      video: { video0: metadata, video1: receiver() },
      media: { media0: [sensor('imx477 10-001a', '81:12'), video('81:0'), video('81:1')] },
      sensors: {
        'v4l-subdev2': [
          { code: RAW10, width: 1332, height: 990 },
          { code: RAW10, width: 4056, height: 3040 },
          { code: RAW12, width: 2028, height: 1520 },
        ],
      },
    });
    expect(pictures).toEqual([
      undefined,
      [
        {
          camera: 'imx477 10-001a',
          width: 4056,
          height: 3040,
          format: 'packed 10-bit Bayer',
          bits: 10,
          source: 'kernel:SUBDEV_ENUM_FRAME_SIZE',
        },
      ],
    ]);
    expect(warnings).toEqual([]);
  });

  it('are those with the most bits among the largest, one for each sensor', async () => {
    board(2, 3);
    const { pictures } = await read({
      video: { video0: receiver() },
      media: { media0: [sensor('left', '81:12'), sensor('right', '81:13'), video('81:0')] },
      sensors: {
        'v4l-subdev2': [RAW10, RAW12].map((code) => ({ code, width: 1920, height: 1080 })),
        'v4l-subdev3': [{ code: 0x2006, width: 640, height: 480 }],
      },
    });
    expect(pictures[0]).toMatchObject([
      { camera: 'left', format: '12-bit Bayer', bits: 16 },
      { camera: 'right', format: '4:2:2 YUV', bits: 16 },
    ]);
  });

  it('are none where the sensor has no node, no picture that can be, or one that nobody knows', async () => {
    board(2, 3);
    const { pictures, warnings } = await read({
      video: { video0: receiver() },
      media: {
        media0: [sensor('a', '0:0'), sensor('b', '81:12'), sensor('c', '81:13'), video('81:0')],
      },
      sensors: {
        'v4l-subdev2': [{ code: RAW10, width: 0, height: 0xffff_ffff }],
        'v4l-subdev3': [{ code: 0x4001, width: 640, height: 480 }],
      },
    });
    expect(pictures).toEqual([undefined, undefined]);
    expect(warnings.filter((text) => /^\/dev\/(media|v4l-subdev)/.test(text))).toEqual([]);
  });

  it('are none of a media device whose video nodes nobody knows', async () => {
    board(2);
    const { pictures } = await read({
      video: { video0: metadata },
      media: { media0: [sensor('a', '81:12'), video('81:7')] },
      sensors: { 'v4l-subdev2': [{ code: RAW10, width: 640, height: 480 }] },
    });
    expect(pictures).toEqual([undefined, undefined]);
  });

  it('are a warning where they cannot be asked for', async () => {
    board(2);
    const drivers = {
      video: { video0: receiver() },
      media: { media0: [sensor('a', '81:12'), video('81:0')] },
    };
    const one = await read({ ...drivers, closed: { 'v4l-subdev2': 'EACCES' } });
    expect(one.warnings).toContainEqual(expect.stringMatching(naming('/dev/v4l-subdev2', 'EACCES')));
    const other = await read({ ...drivers, closed: { media0: 'EACCES' } });
    expect(other.warnings).toContainEqual(expect.stringMatching(naming('/dev/media0', 'EACCES')));
  });
});

describe('the pictures of a camera on USB', () => {
  it('are the largest of its own sizes, by pixels and then by bits', async () => {
    tree
      .video('video0', '81:0', '/sys/devices/usb')
      .files({ '/sys/devices/usb/video4linux/video0/name': 'Some Camera\n' });
    const { pictures } = await read({
      video: {
        video0: receiver({
          driver: 'uvcvideo',
          queues: { capture: raw('NV12', 'YUYV', 'MJPG') },
          sizes: {
            NV12: [{ width: 1280, height: 720 }],
            YUYV: [
              { width: 640, height: 480 },
              { width: 1280, height: 720 },
            ],
            MJPG: [{ width: 3840, height: 2160 }],
          },
        }),
      },
    });
    expect(pictures).toEqual([
      [
        {
          camera: 'Some Camera',
          width: 1280,
          height: 720,
          format: 'YUYV',
          bits: 16,
          source: 'kernel:ENUM_FRAMESIZES',
        },
      ],
    ]);
  });

  it('are none of a converter, whose sizes are those that it is asked for', async () => {
    tree.video('video0', '81:0', '/sys/devices/m2m');
    const { pictures } = await read({
      video: {
        video0: receiver({
          capabilities: V4L2_CAP.VIDEO_M2M,
          queues: { output: raw('YUYV'), capture: raw('YUYV') },
          sizes: { YUYV: [{ width: 640, height: 480 }] },
        }),
      },
    });
    expect(pictures).toEqual([undefined]);
  });
});
