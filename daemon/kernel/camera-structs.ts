import { iowr } from './ioctl.js';
import { KernelStruct } from './struct.js';

/** Numbers, structs and calls of linux/media.h, linux/v4l2-subdev.h and, for sizes, linux/videodev2.h. */
export const MEDIA_ENT_ID_FLAG_NEXT = 2 ** 31;
export const MEDIA_ENT_F_IO_V4L = 0x0001_0001;
export const MEDIA_ENT_F_CAM_SENSOR = 0x0002_0001;
export const V4L2_FRMSIZE_TYPE_DISCRETE = 1;

export const mediaEntity = new KernelStruct(
  'media_entity_desc',
  {
    id: 'uint32',
    name: ['uint8', 32],
    type: 'uint32',
    revision: 'uint32',
    flags: 'uint32',
    group_id: 'uint32',
    pads: 'uint16',
    links: 'uint16',
    reserved: ['uint32', 4],
    /** Major and minor; the largest variant of its union has 184 bytes. */
    dev: ['uint32', 2],
  },
  { size: 256 },
);

export const busFormat = new KernelStruct(
  'v4l2_subdev_mbus_code_enum',
  { pad: 'uint32', index: 'uint32', code: 'uint32', which: 'uint32', flags: 'uint32' },
  { size: 48 },
);

export const busFrameSize = new KernelStruct(
  'v4l2_subdev_frame_size_enum',
  {
    index: 'uint32',
    pad: 'uint32',
    code: 'uint32',
    min_width: 'uint32',
    max_width: 'uint32',
    min_height: 'uint32',
    max_height: 'uint32',
    which: 'uint32',
  },
  { size: 64 },
);

export const frameSize = new KernelStruct(
  'v4l2_frmsizeenum',
  {
    index: 'uint32',
    pixel_format: 'uint32',
    type: 'uint32',
    /** Width and height; the other variant of its union has six numbers. */
    discrete: ['uint32', 2],
  },
  { size: 44 },
);

export const MEDIA_IOC_ENUM_ENTITIES = iowr('MEDIA_IOC_ENUM_ENTITIES', '|', 1, mediaEntity.size);
export const VIDIOC_SUBDEV_ENUM_MBUS_CODE = iowr('VIDIOC_SUBDEV_ENUM_MBUS_CODE', 'V', 2, busFormat.size);
export const VIDIOC_SUBDEV_ENUM_FRAME_SIZE = iowr(
  'VIDIOC_SUBDEV_ENUM_FRAME_SIZE',
  'V',
  74,
  busFrameSize.size,
);
export const VIDIOC_ENUM_FRAMESIZES = iowr('VIDIOC_ENUM_FRAMESIZES', 'V', 74, frameSize.size);
