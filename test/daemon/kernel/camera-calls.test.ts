import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';

import { cameraCalls, createCameraCalls } from '../../../daemon/kernel/camera-calls.js';
import * as uapi from '../../../daemon/kernel/camera-structs.js';
import { KernelError } from '../../../daemon/kernel/errors.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { fakeEdge, NODE } from './fake-edge.js';

const refuse = (code: 'EINVAL' | 'EBUSY' | 'ENOTTY'): never => {
  throw new KernelError('fake', constants.errno[code]);
};

describe('entities', () => {
  const ENTITIES = [
    { id: 1, name: 'imx477 10-001a', type: 0x2_0001, dev: [81, 12] },
    { id: 7, name: 'unicam-image', type: 0x1_0001, dev: [81, 0] },
  ];
  const media = createCameraCalls(
    fakeEdge({
      MEDIA_IOC_ENUM_ENTITIES(argument) {
        const asked = argument.readUInt32LE(0);
        // The next after an id, as the flag says.
        expect(asked >>> 31).toBe(1);
        const found = ENTITIES.find(({ id }) => id > asked - 2 ** 31) ?? refuse('EINVAL');
        uapi.mediaEntity.write(argument, 0, 'id', found.id);
        uapi.mediaEntity.write(argument, 0, 'type', found.type);
        argument.write(found.name, uapi.mediaEntity.place('name').offset);
        for (const [part, number] of found.dev.entries())
          uapi.mediaEntity.write(argument, 0, 'dev', number, part);
      },
    }),
  );

  it('lists what a media device is made of', async () => {
    expect(await media.entities(NODE)).toEqual([
      { name: 'imx477 10-001a', type: uapi.MEDIA_ENT_F_CAM_SENSOR, number: '81:12' },
      { name: 'unicam-image', type: uapi.MEDIA_ENT_F_IO_V4L, number: '81:0' },
    ]);
  });

  it('cuts off a driver that never ends its list', async () => {
    const edge = fakeEdge({ MEDIA_IOC_ENUM_ENTITIES: () => undefined });
    expect(await createCameraCalls(edge).entities(NODE)).toHaveLength(1024);
  });
});

describe('sensorPictures', () => {
  it('lists every size of every code, on the thread pool', async () => {
    const codes = [0x300f, 0x3012];
    const sizes = [
      [1332, 990],
      [4056, 3040],
    ];
    const edge = fakeEdge({
      VIDIOC_SUBDEV_ENUM_MBUS_CODE(argument) {
        const code = codes[uapi.busFormat.read(argument, 0, 'index')] ?? refuse('EINVAL');
        uapi.busFormat.write(argument, 0, 'code', code);
      },
      VIDIOC_SUBDEV_ENUM_FRAME_SIZE(argument) {
        const all = uapi.busFrameSize.read(argument, 0, 'code') === 0x3012 ? sizes : sizes.slice(0, 1);
        const [width = 0, height = 0] = all[uapi.busFrameSize.read(argument, 0, 'index')] ?? refuse('EINVAL');
        uapi.busFrameSize.write(argument, 0, 'min_width', 16);
        uapi.busFrameSize.write(argument, 0, 'max_width', width);
        uapi.busFrameSize.write(argument, 0, 'max_height', height);
      },
    });
    expect(await createCameraCalls(edge).sensorPictures(NODE)).toEqual([
      { code: 0x300f, width: 1332, height: 990 },
      { code: 0x3012, width: 1332, height: 990 },
      { code: 0x3012, width: 4056, height: 3040 },
    ]);
    expect(edge.log.every((call) => call.endsWith(':pool'))).toBe(true);
  });

  it('cuts off a driver that never ends its lists', async () => {
    const edge = fakeEdge({
      VIDIOC_SUBDEV_ENUM_MBUS_CODE: () => undefined,
      VIDIOC_SUBDEV_ENUM_FRAME_SIZE: () => undefined,
    });
    expect(await createCameraCalls(edge).sensorPictures(NODE)).toHaveLength(64 * 64);
  });
});

describe('frameSizes', () => {
  const sizesOf = (type: number) =>
    createCameraCalls(
      fakeEdge({
        VIDIOC_ENUM_FRAMESIZES(argument) {
          expect(argument.readUInt32LE(4)).toBe(0x5659_5559);
          const index = argument.readUInt32LE(0);
          if (index === 2) refuse('EINVAL');
          uapi.frameSize.write(argument, 0, 'type', type);
          uapi.frameSize.write(argument, 0, 'discrete', 640 * (index + 1), 0);
          uapi.frameSize.write(argument, 0, 'discrete', 480 * (index + 1), 1);
        },
      }),
    ).frameSizes(NODE, 'YUYV');

  it('lists the sizes of a camera that has some', async () => {
    expect(await sizesOf(1)).toEqual([
      { width: 640, height: 480 },
      { width: 1280, height: 960 },
    ]);
  });

  it('has none of a device that takes any size between bounds', async () => {
    expect(await sizesOf(3)).toEqual([]);
  });

  it('has none of a driver that does not say', async () => {
    const edge = fakeEdge({ VIDIOC_ENUM_FRAMESIZES: () => refuse('ENOTTY') });
    expect(await createCameraCalls(edge).frameSizes(NODE, 'YUYV')).toEqual([]);
  });

  it('takes no other failure for the end', async () => {
    const edge = fakeEdge({ VIDIOC_ENUM_FRAMESIZES: () => refuse('EBUSY') });
    await expect(createCameraCalls(edge).frameSizes(NODE, 'YUYV')).rejects.toMatchObject({ code: 'EBUSY' });
  });
});

describe('cameraCalls', () => {
  it('find nothing in a file that is no node', async () => {
    using memfd = await memoryCalls.createMemfd('test', 4096n);
    expect(await cameraCalls.entities(memfd.number)).toEqual([]);
    expect(await cameraCalls.sensorPictures(memfd.number)).toEqual([]);
    expect(await cameraCalls.frameSizes(memfd.number, 'YUYV')).toEqual([]);
  });
});
