import type { Use } from '../../dbus/names.js';
import { V4L2_CAP, type V4l2Calls, type V4l2Format, type V4l2Queue } from '../kernel/v4l2.js';
import { findV4l2Format } from './v4l2-formats.js';

/** A queue that takes images, and what the device does with them. */
export interface ImageQueue {
  readonly use: Use;
  readonly queue: V4l2Queue;
  readonly formats: readonly V4l2Format[];
  /** For a decoder's pictures: the queue of its bitstreams, whose format decides what the pictures are like. */
  readonly streams?: Pick<ImageQueue, 'queue' | 'formats'>;
}

const has = (capabilities: number, ...names: readonly (keyof typeof V4L2_CAP)[]): boolean =>
  names.some((name) => (capabilities & V4L2_CAP[name]) !== 0);

/** The queues of a node that hold images. @throws {KernelError} */
export function readQueues(
  v4l2: Pick<V4l2Calls, 'formats'>,
  node: number,
  capabilities: number,
): readonly ImageQueue[] {
  const read = (use: 'capture' | 'output', multiplane: boolean): ImageQueue => {
    const queue: V4l2Queue = multiplane ? `${use}-mplane` : use;
    return { use, queue, formats: v4l2.formats(node, queue) };
  };
  if (has(capabilities, 'VIDEO_M2M', 'VIDEO_M2M_MPLANE')) {
    const multiplane = has(capabilities, 'VIDEO_M2M_MPLANE');
    return usesOfBoth(read('output', multiplane), read('capture', multiplane));
  }
  return [
    ...(has(capabilities, 'VIDEO_OUTPUT', 'VIDEO_OUTPUT_MPLANE')
      ? [read('output', has(capabilities, 'VIDEO_OUTPUT_MPLANE'))]
      : []),
    ...(has(capabilities, 'VIDEO_CAPTURE', 'VIDEO_CAPTURE_MPLANE')
      ? [read('capture', has(capabilities, 'VIDEO_CAPTURE_MPLANE'))]
      : []),
  ];
}

/** Uses of a node that has no images but data that goes with them, such as statistics. */
export const metadataUses = (capabilities: number): readonly Use[] => [
  ...(has(capabilities, 'META_OUTPUT') ? (['output'] as const) : []),
  ...(has(capabilities, 'META_CAPTURE') ? (['capture'] as const) : []),
];

/** A device that takes nothing but bitstreams decodes, one that makes nothing else encodes, every other one converts. */
function usesOfBoth(taken: ImageQueue, made: ImageQueue): readonly ImageQueue[] {
  const hasImages = ({ formats }: ImageQueue): boolean => formats.some(isImage);
  if (!hasImages(taken)) {
    const { queue, formats } = taken;
    return [{ ...made, use: 'decode', formats: made.formats.filter(isImage), streams: { queue, formats } }];
  }
  if (!hasImages(made)) return [{ ...taken, use: 'encode', formats: taken.formats.filter(isImage) }];
  return [taken, made];
}

/** The kernel calls compressed frame buffers compressed too; what DRM has a modifier for is an image. */
const isImage = ({ compressed, fourcc }: V4l2Format): boolean =>
  !compressed || findV4l2Format(fourcc) !== undefined;
