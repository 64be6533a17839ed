import { io, iowr } from '../../../daemon/kernel/ioctl.js';
import { KernelStruct } from '../../../daemon/kernel/struct.js';

/** What only a compositor needs of drm.h and drm_mode.h, each under its name there. */
export const DRM_CLIENT_CAP_ATOMIC = 3;
export const DRM_CLIENT_CAP_WRITEBACK_CONNECTORS = 5;
export const DRM_MODE_ATOMIC_ALLOW_MODESET = 0x400;
export const DRM_MODE_OBJECT_CRTC = 0xcc_cc_cc_cc;
export const DRM_MODE_OBJECT_CONNECTOR = 0xc0_c0_c0_c0;

export const atomic = new KernelStruct('drm_mode_atomic', {
  flags: 'uint32',
  count_objs: 'uint32',
  objs_ptr: 'uint64',
  count_props_ptr: 'uint64',
  props_ptr: 'uint64',
  prop_values_ptr: 'uint64',
  reserved: 'uint64',
  user_data: 'uint64',
});

export const createBlob = new KernelStruct('drm_mode_create_blob', {
  data: 'uint64',
  length: 'uint32',
  blob_id: 'uint32',
});

export const DRM_IOCTL_SET_MASTER = io('DRM_IOCTL_SET_MASTER', 'd', 0x1e);
export const DRM_IOCTL_MODE_ATOMIC = iowr('DRM_IOCTL_MODE_ATOMIC', 'd', 0xbc, atomic.size);
export const DRM_IOCTL_MODE_CREATEPROPBLOB = iowr(
  'DRM_IOCTL_MODE_CREATEPROPBLOB',
  'd',
  0xbd,
  createBlob.size,
);
