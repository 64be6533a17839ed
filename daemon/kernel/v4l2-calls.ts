import { KernelError } from './errors.js';
import { fourccOf } from './fourcc.js';
import { kernelEdge, type IoctlEdge } from './ioctl-edge.js';
import { V4L2_CAP, type V4l2Calls, type V4l2Format, type V4l2Queue } from './v4l2.js';
import { multiPlane, singlePlane, type ImageCoding } from './v4l2-image.js';
import * as uapi from './v4l2-structs.js';

interface QueueKind {
  readonly type: number;
  readonly coding: ImageCoding;
}

const QUEUES: Readonly<Record<V4l2Queue, QueueKind>> = {
  capture: { type: uapi.V4L2_BUF_TYPE_VIDEO_CAPTURE, coding: singlePlane },
  output: { type: uapi.V4L2_BUF_TYPE_VIDEO_OUTPUT, coding: singlePlane },
  'capture-mplane': { type: uapi.V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE, coding: multiPlane },
  'output-mplane': { type: uapi.V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE, coding: multiPlane },
};

/** More formats than V4L2 has names for. */
const MAX_FORMATS = 256;

export const createV4l2Calls = (edge: IoctlEdge): V4l2Calls => ({
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

  async tryFormat(node, queue, wish) {
    const { type, coding } = QUEUES[queue];
    const argument = uapi.format.make({ type });
    coding.write(argument, wish);
    await edge.offLoop(uapi.VIDIOC_TRY_FMT, node, argument);
    return coding.read(argument);
  },
});

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
