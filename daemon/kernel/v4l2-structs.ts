import { ior, iowr } from './ioctl.js';
import { KernelStruct } from './struct.js';

/** Numbers, structs and calls of linux/videodev2.h. */
export const VIDEO_MAX_PLANES = 8;
export const V4L2_BUF_TYPE_VIDEO_CAPTURE = 1;
export const V4L2_BUF_TYPE_VIDEO_OUTPUT = 2;
export const V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE = 9;
export const V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE = 10;
export const V4L2_FMT_FLAG_COMPRESSED = 0x1;

export const capability = new KernelStruct('v4l2_capability', {
  driver: ['uint8', 16],
  card: ['uint8', 32],
  bus_info: ['uint8', 32],
  version: 'uint32',
  capabilities: 'uint32',
  device_caps: 'uint32',
  reserved: ['uint32', 3],
});

export const formatDescription = new KernelStruct('v4l2_fmtdesc', {
  index: 'uint32',
  type: 'uint32',
  flags: 'uint32',
  description: ['uint8', 32],
  pixelformat: 'uint32',
  mbus_code: 'uint32',
  reserved: ['uint32', 3],
});

export const pixFormat = new KernelStruct('v4l2_pix_format', {
  width: 'uint32',
  height: 'uint32',
  pixelformat: 'uint32',
  field: 'uint32',
  bytesperline: 'uint32',
  sizeimage: 'uint32',
  colorspace: 'uint32',
  priv: 'uint32',
  flags: 'uint32',
  ycbcr_enc: 'uint32',
  quantization: 'uint32',
  xfer_func: 'uint32',
});

export const planePixFormat = new KernelStruct(
  'v4l2_plane_pix_format',
  { sizeimage: 'uint32', bytesperline: 'uint32', reserved: ['uint16', 6] },
  { packed: true },
);

export const pixFormatMplane = new KernelStruct(
  'v4l2_pix_format_mplane',
  {
    width: 'uint32',
    height: 'uint32',
    pixelformat: 'uint32',
    field: 'uint32',
    colorspace: 'uint32',
    plane_fmt: [planePixFormat, VIDEO_MAX_PLANES],
    num_planes: 'uint8',
    flags: 'uint8',
    ycbcr_enc: 'uint8',
    quantization: 'uint8',
    xfer_func: 'uint8',
    reserved: ['uint8', 7],
  },
  { packed: true },
);

/** `fmt` is a union of 200 bytes, aligned like the pointers in some of its variants. */
export const format = new KernelStruct('v4l2_format', {
  type: 'uint32',
  fmt: ['uint64', 200 / BigUint64Array.BYTES_PER_ELEMENT],
});

export const VIDIOC_QUERYCAP = ior('VIDIOC_QUERYCAP', 'V', 0, capability.size);
export const VIDIOC_ENUM_FMT = iowr('VIDIOC_ENUM_FMT', 'V', 2, formatDescription.size);
export const VIDIOC_TRY_FMT = iowr('VIDIOC_TRY_FMT', 'V', 64, format.size);
