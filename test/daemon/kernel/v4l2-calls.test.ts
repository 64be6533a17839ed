import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';

import { KernelError } from '../../../daemon/kernel/errors.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { createV4l2Calls, v4l2Calls } from '../../../daemon/kernel/v4l2-calls.js';
import * as uapi from '../../../daemon/kernel/v4l2-structs.js';
import { fakeEdge, NODE } from './fake-edge.js';

const refuse = (code: 'EINVAL' | 'EBUSY'): never => {
  throw new KernelError('fake', constants.errno[code]);
};

describe('queryCapabilities', () => {
  const query = (all: number, own: number) =>
    createV4l2Calls(
      fakeEdge({
        VIDIOC_QUERYCAP(argument) {
          argument.write('vivid', uapi.capability.place('driver').offset);
          // Fills its member to the last byte.
          argument.write('c'.repeat(32), uapi.capability.place('card').offset);
          argument.write('platform:vivid-000\0left over', uapi.capability.place('bus_info').offset);
          uapi.capability.write(argument, 0, 'capabilities', all);
          uapi.capability.write(argument, 0, 'device_caps', own);
        },
      }),
    ).queryCapabilities(NODE);

  it('tells driver, card and bus', () => {
    expect(query(0, 0)).toMatchObject({ driver: 'vivid', card: 'c'.repeat(32), bus: 'platform:vivid-000' });
  });

  it('tells what the node can do, where the driver parts that from what the whole device can', () => {
    expect(query(0x8520_0003, 0x0520_0001).capabilities).toBe(0x0520_0001);
    expect(query(0x0520_0003, 0).capabilities).toBe(0x0520_0003);
  });
});

describe('formats', () => {
  const OUTPUT_MPLANE = 10;

  it('lists a queue until the driver has no more', () => {
    const list = [
      { code: 0x3231564e, text: 'Y/UV 4:2:0', flags: 0 },
      { code: 0x34363248, text: 'H.264', flags: 1 | 8 },
    ];
    const edge = fakeEdge({
      VIDIOC_ENUM_FMT(argument) {
        const entry = list[uapi.formatDescription.read(argument, 0, 'index')];
        if (entry === undefined || uapi.formatDescription.read(argument, 0, 'type') !== OUTPUT_MPLANE)
          return refuse('EINVAL');
        uapi.formatDescription.write(argument, 0, 'pixelformat', entry.code);
        uapi.formatDescription.write(argument, 0, 'flags', entry.flags);
        argument.write(entry.text, uapi.formatDescription.place('description').offset);
      },
    });
    const v4l2 = createV4l2Calls(edge);
    expect(v4l2.formats(NODE, 'output-mplane')).toEqual([
      { fourcc: 'NV12', description: 'Y/UV 4:2:0', compressed: false },
      { fourcc: 'H264', description: 'H.264', compressed: true },
    ]);
    expect(v4l2.formats(NODE, 'output')).toEqual([]);
  });

  it('cuts off a driver that never ends its list', () => {
    const edge = fakeEdge({ VIDIOC_ENUM_FMT: () => undefined });
    expect(createV4l2Calls(edge).formats(NODE, 'capture')).toHaveLength(256);
  });

  it('takes no other failure for the end', () => {
    const edge = fakeEdge({ VIDIOC_ENUM_FMT: () => refuse('EBUSY') });
    expect(() => createV4l2Calls(edge).formats(NODE, 'capture')).toThrow(
      expect.objectContaining({ code: 'EBUSY' }) as Error,
    );
  });
});

// Offsets of linux/videodev2.h on machines of 64 bits: the union of v4l2_format starts at 8.
const FMT = 8;

describe('tryFormat', () => {
  it('tries images of one plane, on the thread pool', async () => {
    const edge = fakeEdge({
      VIDIOC_TRY_FMT(argument) {
        const words = [0, 1, 2, 3, 4, 5].map((i) => argument.readUInt32LE(FMT + 4 * i));
        expect(argument.readUInt32LE(0)).toBe(2);
        expect(words).toEqual([642, 480, 0x56595559, 0, 2048, 0]);
        [640, 480, 0x56595559, 1, 1280, 614400].forEach((word, i) =>
          argument.writeUInt32LE(word, FMT + 4 * i),
        );
      },
    });
    const wish = { fourcc: 'YUYV', width: 642, height: 480, bytesPerLine: 2048 };
    expect(await createV4l2Calls(edge).tryFormat(NODE, 'output', wish)).toEqual({
      fourcc: 'YUYV',
      width: 640,
      height: 480,
      planes: [{ bytesPerLine: 1280, size: 614400 }],
    });
    expect(edge.log).toEqual(['VIDIOC_TRY_FMT:pool']);
  });

  /** A driver whose images have so many planes; the pitch of plane i is what was wished for, or 640, and i more. */
  const planar = (count: number) =>
    fakeEdge({
      VIDIOC_TRY_FMT(argument) {
        expect(argument.readUInt32LE(0)).toBe(9);
        for (let i = 0; i < 8; i++) {
          const plane = FMT + 20 + 20 * i;
          argument.writeUInt32LE(1000 * (i + 1), plane);
          argument.writeUInt32LE((argument.readUInt32LE(plane + 4) || 640) + i, plane + 4);
        }
        argument[FMT + 180] = count;
      },
    });

  it('tries images of several planes', async () => {
    const v4l2 = createV4l2Calls(planar(2));
    const wish = { fourcc: 'NM12', width: 640, height: 480 };
    const planes = (pitch: number) => [
      { bytesPerLine: pitch, size: 1000 },
      { bytesPerLine: pitch + 1, size: 2000 },
    ];
    expect(await v4l2.tryFormat(NODE, 'capture-mplane', wish)).toEqual({ ...wish, planes: planes(640) });
    expect(await v4l2.tryFormat(NODE, 'capture-mplane', { ...wish, bytesPerLine: 1024 })).toEqual({
      ...wish,
      planes: planes(1024),
    });
  });

  it('believes in no more planes than there is room for', async () => {
    const wish = { fourcc: 'NM12', width: 640, height: 480 };
    const { planes } = await createV4l2Calls(planar(255)).tryFormat(NODE, 'capture-mplane', wish);
    expect(planes).toHaveLength(8);
  });
});

describe('getFormat and setFormat', () => {
  /** A node that is set to what it was last asked for. */
  const remembering = () => {
    let set = [640, 480, 0x56595559, 1, 1280, 614400];
    const give = (argument: Buffer): void => {
      set.forEach((word, i) => argument.writeUInt32LE(word, FMT + 4 * i));
    };
    return fakeEdge({
      VIDIOC_G_FMT(argument) {
        expect(argument.readUInt32LE(FMT)).toBe(0);
        give(argument);
      },
      VIDIOC_S_FMT(argument) {
        const [width = 0, height = 0, fourcc = 0] = [0, 1, 2].map((i) => argument.readUInt32LE(FMT + 4 * i));
        set = [width, height, fourcc, 1, 2 * width, 2 * width * height];
        give(argument);
      },
    });
  };

  it('tells and changes what the queue is set to, on the thread pool', async () => {
    const edge = remembering();
    const v4l2 = createV4l2Calls(edge);
    const image = { fourcc: 'YUYV', width: 640, height: 480, planes: [{ bytesPerLine: 1280, size: 614400 }] };
    expect(await v4l2.getFormat(NODE, 'capture')).toEqual(image);
    const wish = { fourcc: 'UYVY', width: 320, height: 200 };
    const granted = { ...wish, planes: [{ bytesPerLine: 640, size: 128_000 }] };
    expect(await v4l2.setFormat(NODE, 'capture', wish)).toEqual(granted);
    expect(await v4l2.getFormat(NODE, 'capture')).toEqual(granted);
    expect(edge.log).toEqual(['VIDIOC_G_FMT:pool', 'VIDIOC_S_FMT:pool', 'VIDIOC_G_FMT:pool']);
  });
});

describe('v4l2Calls', () => {
  it('says by errno that a file is no V4L2 node, whatever it is asked', async () => {
    using memfd = await memoryCalls.createMemfd('test', 4096n);
    const not = (call: string): Error => expect.objectContaining({ code: 'ENOTTY', call }) as Error;
    expect(() => v4l2Calls.queryCapabilities(memfd.number)).toThrow(not('VIDIOC_QUERYCAP'));
    expect(() => v4l2Calls.formats(memfd.number, 'capture')).toThrow(not('VIDIOC_ENUM_FMT'));
    const wish = { fourcc: 'YUYV', width: 1, height: 1 };
    const node = memfd.number;
    await expect(v4l2Calls.tryFormat(node, 'capture', wish)).rejects.toThrow(not('VIDIOC_TRY_FMT'));
    await expect(v4l2Calls.getFormat(node, 'capture')).rejects.toThrow(not('VIDIOC_G_FMT'));
    await expect(v4l2Calls.setFormat(node, 'capture', wish)).rejects.toThrow(not('VIDIOC_S_FMT'));
    await expect(v4l2Calls.requestBuffers(node, 'capture', 1)).rejects.toThrow(not('VIDIOC_REQBUFS'));
    const planes = [{ dmaBuf: node }];
    await expect(v4l2Calls.queueDmaBufs(node, 'capture', 0, planes)).rejects.toThrow(not('VIDIOC_QBUF'));
    await expect(v4l2Calls.dequeue(node, 'capture')).rejects.toThrow(not('VIDIOC_DQBUF'));
    await expect(v4l2Calls.streamOn(node, 'capture')).rejects.toThrow(not('VIDIOC_STREAMON'));
    await expect(v4l2Calls.streamOff(node, 'capture')).rejects.toThrow(not('VIDIOC_STREAMOFF'));
  });
});
