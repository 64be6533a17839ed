import type { V4l2Queue, V4l2Image, V4l2Wish } from './v4l2.js';
import * as uapi from './v4l2-structs.js';
import { format, pixFormat, pixFormatMplane, planePixFormat, VIDEO_MAX_PLANES } from './v4l2-structs.js';
import { fourccCode, fourccOf } from './fourcc.js';

export interface QueueKind {
  /** V4L2_BUF_TYPE_… */
  readonly type: number;
  readonly coding: ImageCoding;
  /** Whether each memory plane of an image has a buffer of its own. */
  readonly planar: boolean;
}

/** Where the union of `v4l2_format` starts. */
const AT = format.place('fmt').offset;
const planeAt = (index: number): number => AT + pixFormatMplane.place('plane_fmt', index).offset;

/** How a wish is written into `v4l2_format`, and the answer read from it. */
interface ImageCoding {
  write(argument: Buffer, wish: V4l2Wish): void;
  read(argument: Buffer): V4l2Image;
}

/** Images of the queues with one memory plane. */
const singlePlane: ImageCoding = {
  write(argument, { fourcc, width, height, bytesPerLine = 0 }) {
    pixFormat.write(argument, AT, 'width', width);
    pixFormat.write(argument, AT, 'height', height);
    pixFormat.write(argument, AT, 'pixelformat', fourccCode(fourcc));
    pixFormat.write(argument, AT, 'bytesperline', bytesPerLine);
  },

  read: (argument) => ({
    fourcc: fourccOf(pixFormat.read(argument, AT, 'pixelformat')),
    width: pixFormat.read(argument, AT, 'width'),
    height: pixFormat.read(argument, AT, 'height'),
    planes: [
      {
        bytesPerLine: pixFormat.read(argument, AT, 'bytesperline'),
        size: pixFormat.read(argument, AT, 'sizeimage'),
      },
    ],
  }),
};

/** Images of the `_MPLANE` queues. */
const multiPlane: ImageCoding = {
  write(argument, { fourcc, width, height, bytesPerLine = 0 }) {
    pixFormatMplane.write(argument, AT, 'width', width);
    pixFormatMplane.write(argument, AT, 'height', height);
    pixFormatMplane.write(argument, AT, 'pixelformat', fourccCode(fourcc));
    // Into all of them, because the driver alone knows how many its format has.
    for (let plane = 0; plane < VIDEO_MAX_PLANES; plane++)
      planePixFormat.write(argument, planeAt(plane), 'bytesperline', bytesPerLine);
  },

  read(argument) {
    const planes = Math.min(pixFormatMplane.read(argument, AT, 'num_planes'), VIDEO_MAX_PLANES);
    return {
      fourcc: fourccOf(pixFormatMplane.read(argument, AT, 'pixelformat')),
      width: pixFormatMplane.read(argument, AT, 'width'),
      height: pixFormatMplane.read(argument, AT, 'height'),
      planes: Array.from({ length: planes }, (_, plane) => ({
        bytesPerLine: planePixFormat.read(argument, planeAt(plane), 'bytesperline'),
        size: planePixFormat.read(argument, planeAt(plane), 'sizeimage'),
      })),
    };
  },
};

export const QUEUES: Readonly<Record<V4l2Queue, QueueKind>> = {
  capture: { type: uapi.V4L2_BUF_TYPE_VIDEO_CAPTURE, coding: singlePlane, planar: false },
  output: { type: uapi.V4L2_BUF_TYPE_VIDEO_OUTPUT, coding: singlePlane, planar: false },
  'capture-mplane': { type: uapi.V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE, coding: multiPlane, planar: true },
  'output-mplane': { type: uapi.V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE, coding: multiPlane, planar: true },
};
