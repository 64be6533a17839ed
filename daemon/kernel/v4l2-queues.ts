import type { V4l2Queue } from './v4l2.js';
import { multiPlane, singlePlane, type ImageCoding } from './v4l2-image.js';
import * as uapi from './v4l2-structs.js';

export interface QueueKind {
  /** V4L2_BUF_TYPE_… */
  readonly type: number;
  readonly coding: ImageCoding;
  /** Whether each memory plane of an image has a buffer of its own. */
  readonly planar: boolean;
}

export const QUEUES: Readonly<Record<V4l2Queue, QueueKind>> = {
  capture: { type: uapi.V4L2_BUF_TYPE_VIDEO_CAPTURE, coding: singlePlane, planar: false },
  output: { type: uapi.V4L2_BUF_TYPE_VIDEO_OUTPUT, coding: singlePlane, planar: false },
  'capture-mplane': { type: uapi.V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE, coding: multiPlane, planar: true },
  'output-mplane': { type: uapi.V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE, coding: multiPlane, planar: true },
};
