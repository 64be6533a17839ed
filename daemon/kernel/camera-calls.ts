import type { CameraCalls, FrameSize, MediaEntity, SensorPicture } from './camera.js';
import * as uapi from './camera-structs.js';
import { KernelError } from './errors.js';
import { fourccCode } from './fourcc.js';
import { type IoctlCall, kernelEdge, type IoctlEdge } from './ioctl.js';

/** More of them than hardware has. */
const MAX_ENTITIES = 1024;
const MAX_CODES = 64;
const MAX_SIZES = 64;

export const createCameraCalls = (edge: IoctlEdge): CameraCalls => ({
  async entities(node) {
    const entities: MediaEntity[] = [];
    for (let id = 0; entities.length < MAX_ENTITIES;) {
      const argument = uapi.mediaEntity.make({ id: id + uapi.MEDIA_ENT_ID_FLAG_NEXT });
      if (!(await isListed(edge, uapi.MEDIA_IOC_ENUM_ENTITIES, node, argument))) break;
      id = uapi.mediaEntity.read(argument, 0, 'id') % uapi.MEDIA_ENT_ID_FLAG_NEXT;
      const [major, minor] = [0, 1].map((part) => uapi.mediaEntity.read(argument, 0, 'dev', part));
      entities.push({
        name: uapi.mediaEntity.readText(argument, 0, 'name'),
        type: uapi.mediaEntity.read(argument, 0, 'type'),
        number: `${major}:${minor}`,
      });
    }
    return entities;
  },

  async sensorPictures(node) {
    const pictures: SensorPicture[] = [];
    for (let index = 0; index < MAX_CODES; index++) {
      // A sensor has one pad that pictures come out of, the first.
      const argument = uapi.busFormat.make({ index });
      if (!(await isListed(edge, uapi.VIDIOC_SUBDEV_ENUM_MBUS_CODE, node, argument))) break;
      const code = uapi.busFormat.read(argument, 0, 'code');
      for (const size of await busFrameSizes(edge, node, code)) pictures.push({ ...size, code });
    }
    return pictures;
  },

  async frameSizes(node, fourcc) {
    const sizes: FrameSize[] = [];
    for (let index = 0; index < MAX_SIZES; index++) {
      const argument = uapi.frameSize.make({ index, pixel_format: fourccCode(fourcc) });
      if (!(await isListed(edge, uapi.VIDIOC_ENUM_FRAMESIZES, node, argument))) break;
      if (uapi.frameSize.read(argument, 0, 'type') !== uapi.V4L2_FRMSIZE_TYPE_DISCRETE) break;
      sizes.push({
        width: uapi.frameSize.read(argument, 0, 'discrete', 0),
        height: uapi.frameSize.read(argument, 0, 'discrete', 1),
      });
    }
    return sizes;
  },
});

async function busFrameSizes(edge: IoctlEdge, node: number, code: number): Promise<readonly FrameSize[]> {
  const sizes: FrameSize[] = [];
  for (let index = 0; index < MAX_SIZES; index++) {
    const argument = uapi.busFrameSize.make({ index, code });
    if (!(await isListed(edge, uapi.VIDIOC_SUBDEV_ENUM_FRAME_SIZE, node, argument))) break;
    sizes.push({
      width: uapi.busFrameSize.read(argument, 0, 'max_width'),
      height: uapi.busFrameSize.read(argument, 0, 'max_height'),
    });
  }
  return sizes;
}

/** Past the end of a list drivers say EINVAL, and ENOTTY where they have no such list. */
async function isListed(edge: IoctlEdge, call: IoctlCall, node: number, argument: Buffer): Promise<boolean> {
  try {
    await edge.offLoop(call, node, argument);
    return true;
  } catch (error) {
    if (error instanceof KernelError && (error.code === 'EINVAL' || error.code === 'ENOTTY')) return false;
    throw error;
  }
}

export const cameraCalls = createCameraCalls(kernelEdge);
