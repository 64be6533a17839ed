import { addressOf } from '../../dbus/native/layout.js';
import type { IoctlCall, IoctlEdge } from './ioctl.js';
import type { V4l2PlaneBuffer, V4l2Queue, V4l2StreamCalls } from './v4l2.js';
import { QUEUES } from './v4l2-queues.js';
import * as uapi from './v4l2-structs.js';

/** Queues of dma-bufs. */
export const streamCalls = (edge: IoctlEdge): V4l2StreamCalls => ({
  async requestBuffers(node, queue, count) {
    const { type } = QUEUES[queue];
    const argument = uapi.requestBuffers.make({ count, type, memory: uapi.V4L2_MEMORY_DMABUF });
    await edge.offLoop(uapi.VIDIOC_REQBUFS, node, argument);
    return uapi.requestBuffers.read(argument, 0, 'count');
  },

  async queueDmaBufs(node, queue, index, planes) {
    const argument = makeBuffer(queue, planes);
    uapi.buffer.write(argument, 0, 'index', index);
    await edge.offLoop(uapi.VIDIOC_QBUF, node, argument);
  },

  async dequeue(node, queue) {
    const empty = Array.from({ length: QUEUES[queue].planar ? uapi.VIDEO_MAX_PLANES : 1 }, () => ({
      dmaBuf: 0,
    }));
    const argument = makeBuffer(queue, empty);
    await edge.offLoop(uapi.VIDIOC_DQBUF, node, argument);
    const read = (member: 'index' | 'sequence' | 'flags'): number => uapi.buffer.read(argument, 0, member);
    return {
      index: read('index'),
      bytesUsed: bytesUsedOf(queue, argument),
      sequence: read('sequence'),
      failed: (read('flags') & uapi.V4L2_BUF_FLAG_ERROR) !== 0,
    };
  },

  streamOn: (node, queue) => turn(edge, uapi.VIDIOC_STREAMON, node, queue),
  streamOff: (node, queue) => turn(edge, uapi.VIDIOC_STREAMOFF, node, queue),
});

async function turn(edge: IoctlEdge, call: IoctlCall, node: number, queue: V4l2Queue): Promise<void> {
  await edge.offLoop(call, node, Buffer.from(Int32Array.of(QUEUES[queue].type).buffer));
}

const planeAt = (index: number): number => uapi.buffer.size + index * uapi.plane.size;

/** `v4l2_buffer` with its planes behind it, in one piece, so that what it points to lives as long as it does. */
function makeBuffer(queue: V4l2Queue, planes: readonly V4l2PlaneBuffer[]): Buffer {
  const { type, planar } = QUEUES[queue];
  const argument = Buffer.alloc(planeAt(planar ? planes.length : 0));
  uapi.buffer.write(argument, 0, 'type', type);
  uapi.buffer.write(argument, 0, 'memory', uapi.V4L2_MEMORY_DMABUF);
  if (planar) {
    uapi.buffer.write(argument, 0, 'm', addressOf(argument) + BigInt(planeAt(0)));
    uapi.buffer.write(argument, 0, 'length', planes.length);
    planes.forEach((plane, i) => {
      writePlane(uapi.plane, argument, planeAt(i), plane);
    });
  } else {
    const [plane] = planes;
    if (plane === undefined || planes.length > 1) throw new RangeError('the queue takes one buffer an image');
    writePlane(uapi.buffer, argument, 0, plane);
  }
  return argument;
}

const writePlane = (
  struct: typeof uapi.buffer | typeof uapi.plane,
  argument: Buffer,
  base: number,
  { dmaBuf, length = 0, bytesUsed = 0 }: V4l2PlaneBuffer,
): void => {
  struct.write(argument, base, 'm', dmaBuf);
  struct.write(argument, base, 'length', length);
  struct.write(argument, base, 'bytesused', bytesUsed);
};

function bytesUsedOf(queue: V4l2Queue, argument: Buffer): readonly number[] {
  if (!QUEUES[queue].planar) return [uapi.buffer.read(argument, 0, 'bytesused')];
  const count = Math.min(uapi.buffer.read(argument, 0, 'length'), uapi.VIDEO_MAX_PLANES);
  return Array.from({ length: count }, (_, i) => uapi.plane.read(argument, planeAt(i), 'bytesused'));
}
