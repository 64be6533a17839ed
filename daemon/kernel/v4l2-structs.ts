import { ior, iow, iowr, type IoctlCall } from './ioctl.js';
import { KernelStruct } from './struct.js';

/** Numbers, structs and calls of linux/videodev2.h. */
export const VIDEO_MAX_PLANES = 8;
export const V4L2_BUF_TYPE_VIDEO_CAPTURE = 1;
export const V4L2_BUF_TYPE_VIDEO_OUTPUT = 2;
export const V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE = 9;
export const V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE = 10;
export const V4L2_FMT_FLAG_COMPRESSED = 0x1;
export const V4L2_MEMORY_DMABUF = 4;
export const V4L2_BUF_FLAG_ERROR = 0x40;

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

export const requestBuffers = new KernelStruct('v4l2_requestbuffers', {
  count: 'uint32',
  type: 'uint32',
  memory: 'uint32',
  capabilities: 'uint32',
  flags: 'uint8',
  reserved: ['uint8', 3],
});

export const timecode = new KernelStruct('v4l2_timecode', {
  type: 'uint32',
  flags: 'uint32',
  frames: 'uint8',
  seconds: 'uint8',
  minutes: 'uint8',
  hours: 'uint8',
  userbits: ['uint8', 4],
});

/** `m` is a union, here of a pointer to planes and, in its lower half, of a descriptor. */
export const buffer = new KernelStruct('v4l2_buffer', {
  index: 'uint32',
  type: 'uint32',
  bytesused: 'uint32',
  flags: 'uint32',
  field: 'uint32',
  timestamp: ['uint64', 2],
  timecode: timecode,
  sequence: 'uint32',
  memory: 'uint32',
  m: 'uint64',
  length: 'uint32',
  reserved2: 'uint32',
  request_fd: 'uint32',
});

/** `m` is a union, with a descriptor in its lower half. */
export const plane = new KernelStruct('v4l2_plane', {
  bytesused: 'uint32',
  length: 'uint32',
  m: 'uint64',
  data_offset: 'uint32',
  reserved: ['uint32', 11],
});

export const VIDIOC_QUERYCAP = ior('VIDIOC_QUERYCAP', 'V', 0, capability.size);
export const VIDIOC_ENUM_FMT = iowr('VIDIOC_ENUM_FMT', 'V', 2, formatDescription.size);
export const VIDIOC_G_FMT = iowr('VIDIOC_G_FMT', 'V', 4, format.size);
export const VIDIOC_S_FMT = iowr('VIDIOC_S_FMT', 'V', 5, format.size);
export const VIDIOC_REQBUFS = iowr('VIDIOC_REQBUFS', 'V', 8, requestBuffers.size);
export const VIDIOC_QBUF = iowr('VIDIOC_QBUF', 'V', 15, buffer.size);
/** EAGAIN: no buffer is done yet. */
export const VIDIOC_DQBUF: IoctlCall = {
  ...iowr('VIDIOC_DQBUF', 'V', 17, buffer.size),
  awaited: true,
};
export const VIDIOC_STREAMON = iow('VIDIOC_STREAMON', 'V', 18, Int32Array.BYTES_PER_ELEMENT);
export const VIDIOC_STREAMOFF = iow('VIDIOC_STREAMOFF', 'V', 19, Int32Array.BYTES_PER_ELEMENT);
export const VIDIOC_TRY_FMT = iowr('VIDIOC_TRY_FMT', 'V', 64, format.size);
