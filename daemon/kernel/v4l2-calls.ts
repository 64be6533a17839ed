import { KernelError } from './errors.js';
import { fourccOf } from './fourcc.js';
import { type IoctlCall, kernelEdge, type IoctlEdge } from './ioctl.js';
import {
  V4L2_CAP,
  type V4l2Calls,
  type V4l2Format,
  type V4l2Image,
  type V4l2Queue,
  type V4l2Wish,
} from './v4l2.js';
import { QUEUES } from './v4l2-queues.js';
import { streamCalls } from './v4l2-stream.js';
import * as uapi from './v4l2-structs.js';

/** More formats than V4L2 has names for. */
const MAX_FORMATS = 256;

export const createV4l2Calls = (edge: IoctlEdge): V4l2Calls => ({
  ...streamCalls(edge),

  queryCapabilities(node) {
    const argument = uapi.capability.make({});
    edge.now(uapi.VIDIOC_QUERYCAP, node, argument);
    const text = (member: 'driver' | 'card' | 'bus_info'): string =>
      uapi.capability.readText(argument, 0, member);
    // Those of the whole device, unless the driver also tells the node's own.
    const all = uapi.capability.read(argument, 0, 'capabilities');
    const hasOwn = (all & V4L2_CAP.DEVICE_CAPS) !== 0;
    return {
      driver: text('driver'),
      card: text('card'),
      bus: text('bus_info'),
      capabilities: hasOwn ? uapi.capability.read(argument, 0, 'device_caps') : all,
    };
  },

  formats(node, queue) {
    const formats: V4l2Format[] = [];
    for (let index = 0; index < MAX_FORMATS; index++) {
      const format = readFormat(edge, node, QUEUES[queue].type, index);
      if (format === undefined) break;
      formats.push(format);
    }
    return formats;
  },

  tryFormat: (node, queue, wish) => askFormat(edge, uapi.VIDIOC_TRY_FMT, node, queue, wish),
  getFormat: (node, queue) => askFormat(edge, uapi.VIDIOC_G_FMT, node, queue, undefined),
  setFormat: (node, queue, wish) => askFormat(edge, uapi.VIDIOC_S_FMT, node, queue, wish),
});

/** The calls that take a format and give one. */
async function askFormat(
  edge: IoctlEdge,
  call: IoctlCall,
  node: number,
  queue: V4l2Queue,
  wish: V4l2Wish | undefined,
): Promise<V4l2Image> {
  const { type, coding } = QUEUES[queue];
  const argument = uapi.format.make({ type });
  if (wish !== undefined) coding.write(argument, wish);
  await edge.offLoop(call, node, argument);
  return coding.read(argument);
}

/** Undefined past the end of the list, which V4L2 tells by EINVAL. */
function readFormat(edge: IoctlEdge, node: number, type: number, index: number): V4l2Format | undefined {
  const argument = uapi.formatDescription.make({ index, type });
  try {
    edge.now(uapi.VIDIOC_ENUM_FMT, node, argument);
  } catch (error) {
    if (error instanceof KernelError && error.code === 'EINVAL') return undefined;
    throw error;
  }
  const flags = uapi.formatDescription.read(argument, 0, 'flags');
  return {
    fourcc: fourccOf(uapi.formatDescription.read(argument, 0, 'pixelformat')),
    description: uapi.formatDescription.readText(argument, 0, 'description'),
    compressed: (flags & uapi.V4L2_FMT_FLAG_COMPRESSED) !== 0,
  };
}

export const v4l2Calls = createV4l2Calls(kernelEdge);
