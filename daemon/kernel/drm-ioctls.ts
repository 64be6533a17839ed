import * as structs from './drm-structs.js';
import { io, iow, iowr, type IoctlCall } from './ioctl.js';

/** Calls of drm.h, each under its name there. */
export const DRM_IOCTL_VERSION = iowr('DRM_IOCTL_VERSION', 'd', 0x00, structs.version.size);
export const DRM_IOCTL_GEM_CLOSE = iow('DRM_IOCTL_GEM_CLOSE', 'd', 0x09, structs.gemClose.size);
export const DRM_IOCTL_GET_CAP = iowr('DRM_IOCTL_GET_CAP', 'd', 0x0c, structs.getCap.size);
export const DRM_IOCTL_SET_CLIENT_CAP = iow('DRM_IOCTL_SET_CLIENT_CAP', 'd', 0x0d, structs.setClientCap.size);
export const DRM_IOCTL_DROP_MASTER = io('DRM_IOCTL_DROP_MASTER', 'd', 0x1f);

export const DRM_IOCTL_PRIME_HANDLE_TO_FD = iowr(
  'DRM_IOCTL_PRIME_HANDLE_TO_FD',
  'd',
  0x2d,
  structs.primeHandle.size,
);
export const DRM_IOCTL_PRIME_FD_TO_HANDLE = iowr(
  'DRM_IOCTL_PRIME_FD_TO_HANDLE',
  'd',
  0x2e,
  structs.primeHandle.size,
);

const mode = (name: string, number: number, { size }: { readonly size: number }): IoctlCall =>
  iowr(`DRM_IOCTL_MODE_${name}`, 'd', number, size);

export const DRM_IOCTL_MODE_GETRESOURCES = mode('GETRESOURCES', 0xa0, structs.cardResources);
export const DRM_IOCTL_MODE_GETCRTC = mode('GETCRTC', 0xa1, structs.getCrtc);
export const DRM_IOCTL_MODE_GETENCODER = mode('GETENCODER', 0xa6, structs.getEncoder);
export const DRM_IOCTL_MODE_GETCONNECTOR = mode('GETCONNECTOR', 0xa7, structs.getConnector);
export const DRM_IOCTL_MODE_GETPROPERTY = mode('GETPROPERTY', 0xaa, structs.getProperty);
export const DRM_IOCTL_MODE_GETPROPBLOB = mode('GETPROPBLOB', 0xac, structs.getBlob);
export const DRM_IOCTL_MODE_RMFB = mode('RMFB', 0xaf, { size: Uint32Array.BYTES_PER_ELEMENT });
export const DRM_IOCTL_MODE_CREATE_DUMB = mode('CREATE_DUMB', 0xb2, structs.createDumb);
export const DRM_IOCTL_MODE_MAP_DUMB = mode('MAP_DUMB', 0xb3, structs.mapDumb);
export const DRM_IOCTL_MODE_DESTROY_DUMB = mode('DESTROY_DUMB', 0xb4, structs.destroyDumb);
export const DRM_IOCTL_MODE_GETPLANERESOURCES = mode('GETPLANERESOURCES', 0xb5, structs.getPlaneResources);
export const DRM_IOCTL_MODE_GETPLANE = mode('GETPLANE', 0xb6, structs.getPlane);
export const DRM_IOCTL_MODE_ADDFB2 = mode('ADDFB2', 0xb8, structs.framebufferCommand);
export const DRM_IOCTL_MODE_OBJ_GETPROPERTIES = mode('OBJ_GETPROPERTIES', 0xb9, structs.getObjectProperties);
