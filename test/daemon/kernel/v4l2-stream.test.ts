import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';

import { KernelError } from '../../../daemon/kernel/errors.js';
import { createV4l2Calls } from '../../../daemon/kernel/v4l2-calls.js';
import * as uapi from '../../../daemon/kernel/v4l2-structs.js';
import { addressOf } from '../../../dbus/native/layout.js';
import { fakeEdge, NODE } from './fake-edge.js';

// Offsets of linux/videodev2.h on machines of 64 bits.
const BUFFER = { index: 0, type: 4, bytesused: 8, flags: 12, sequence: 56, memory: 60, m: 64, length: 72 };
const PLANE = { bytesused: 0, length: 4, m: 8, size: 64 };
const DMABUF = 4;

/** The planes that a buffer points to, read where it says that they are. */
function planesOf(argument: Buffer): readonly (readonly number[])[] {
  const at = Number(argument.readBigUInt64LE(BUFFER.m) - addressOf(argument));
  return Array.from({ length: argument.readUInt32LE(BUFFER.length) }, (_, i) =>
    [PLANE.m, PLANE.length, PLANE.bytesused].map((member) =>
      argument.readUInt32LE(at + i * PLANE.size + member),
    ),
  );
}

describe('requestBuffers', () => {
  it('asks for places for dma-bufs, and tells how many there are', async () => {
    const edge = fakeEdge({
      VIDIOC_REQBUFS(argument) {
        expect([0, 4, 8].map((at) => argument.readUInt32LE(at))).toEqual([1, 2, DMABUF]);
        argument.writeUInt32LE(3, 0);
      },
    });
    expect(await createV4l2Calls(edge).requestBuffers(NODE, 'output', 1)).toBe(3);
    expect(edge.log).toEqual(['VIDIOC_REQBUFS:pool']);
  });
});

describe('queueDmaBufs', () => {
  const queued = async (
    queue: 'capture' | 'capture-mplane',
    planes: Parameters<ReturnType<typeof createV4l2Calls>['queueDmaBufs']>[3],
  ): Promise<Buffer> => {
    let seen: Buffer = Buffer.alloc(0);
    const edge = fakeEdge({ VIDIOC_QBUF: (argument) => void (seen = argument) });
    await createV4l2Calls(edge).queueDmaBufs(NODE, queue, 2, planes);
    expect(edge.log).toEqual(['VIDIOC_QBUF:pool']);
    return seen;
  };
  const read = (argument: Buffer, ...members: readonly (keyof typeof BUFFER)[]): readonly number[] =>
    members.map((member) => argument.readUInt32LE(BUFFER[member]));

  it('gives the buffer of a queue with one memory plane', async () => {
    const argument = await queued('capture', [{ dmaBuf: 33, length: 4096, bytesUsed: 100 }]);
    expect(read(argument, 'index', 'type', 'memory', 'm', 'length', 'bytesused')).toEqual([
      2,
      1,
      DMABUF,
      33,
      4096,
      100,
    ]);
  });

  it('gives one buffer for each plane of the others', async () => {
    const planes = [{ dmaBuf: 33, length: 4096, bytesUsed: 100 }, { dmaBuf: 34 }];
    const argument = await queued('capture-mplane', planes);
    expect(read(argument, 'index', 'type', 'memory', 'length')).toEqual([2, 9, DMABUF, 2]);
    expect(planesOf(argument)).toEqual([
      [33, 4096, 100],
      [34, 0, 0],
    ]);
  });

  it.each([0, 2])('has one memory plane and not %s', async (count) => {
    const planes = Array.from({ length: count }, () => ({ dmaBuf: 33 }));
    await expect(queued('capture', planes)).rejects.toThrow(RangeError);
  });
});

describe('dequeue', () => {
  it('tells what is in the buffer', async () => {
    const edge = fakeEdge({
      VIDIOC_DQBUF(argument) {
        expect(argument.readUInt32LE(BUFFER.type)).toBe(1);
        expect(argument.readUInt32LE(BUFFER.memory)).toBe(DMABUF);
        argument.writeUInt32LE(2, BUFFER.index);
        argument.writeUInt32LE(614400, BUFFER.bytesused);
        argument.writeUInt32LE(7, BUFFER.sequence);
        argument.writeUInt32LE(0x40, BUFFER.flags);
      },
    });
    expect(await createV4l2Calls(edge).dequeue(NODE, 'capture')).toEqual({
      index: 2,
      bytesUsed: [614400],
      sequence: 7,
      failed: true,
    });
    expect(edge.log).toEqual(['VIDIOC_DQBUF:pool']);
  });

  it('tells it of every plane, of which there may be as many as V4L2 has', async () => {
    const edge = fakeEdge({
      VIDIOC_DQBUF(argument) {
        expect(planesOf(argument)).toHaveLength(8);
        const planes = Number(argument.readBigUInt64LE(BUFFER.m) - addressOf(argument));
        argument.writeUInt32LE(1000, planes + PLANE.bytesused);
        argument.writeUInt32LE(500, planes + PLANE.size + PLANE.bytesused);
        argument.writeUInt32LE(2, BUFFER.length);
      },
    });
    expect(await createV4l2Calls(edge).dequeue(NODE, 'output-mplane')).toEqual({
      index: 0,
      bytesUsed: [1000, 500],
      sequence: 0,
      failed: false,
    });
  });

  it('believes in no more planes than there is room for', async () => {
    const edge = fakeEdge({ VIDIOC_DQBUF: (argument) => void argument.writeUInt32LE(255, BUFFER.length) });
    expect((await createV4l2Calls(edge).dequeue(NODE, 'capture-mplane')).bytesUsed).toHaveLength(8);
  });

  it('takes EAGAIN for an answer', async () => {
    expect(uapi.VIDIOC_DQBUF.awaited).toBe(true);
    const edge = fakeEdge({
      VIDIOC_DQBUF() {
        throw new KernelError('VIDIOC_DQBUF', constants.errno.EAGAIN);
      },
    });
    await expect(createV4l2Calls(edge).dequeue(NODE, 'capture')).rejects.toMatchObject({ code: 'EAGAIN' });
  });
});

describe('streaming', () => {
  it('turns a queue on and off', async () => {
    const turned: [string, number][] = [];
    const edge = fakeEdge({
      VIDIOC_STREAMON: (argument) => void turned.push(['on', argument.readUInt32LE(0)]),
      VIDIOC_STREAMOFF: (argument) => void turned.push(['off', argument.readUInt32LE(0)]),
    });
    const v4l2 = createV4l2Calls(edge);
    await v4l2.streamOn(NODE, 'capture');
    await v4l2.streamOff(NODE, 'output-mplane');
    expect(turned).toEqual([
      ['on', 1],
      ['off', 10],
    ]);
  });
});
