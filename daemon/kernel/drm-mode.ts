import type { DrmMode } from './drm.js';
import { DRM_DISPLAY_MODE_LEN, DRM_MODE_TYPE_PREFERRED } from './drm-constants.js';
import { KernelStruct } from './struct.js';

/** drm_mode.h */
export const modeInfo = new KernelStruct('drm_mode_modeinfo', {
  clock: 'uint32',
  hdisplay: 'uint16',
  hsync_start: 'uint16',
  hsync_end: 'uint16',
  htotal: 'uint16',
  hskew: 'uint16',
  vdisplay: 'uint16',
  vsync_start: 'uint16',
  vsync_end: 'uint16',
  vtotal: 'uint16',
  vscan: 'uint16',
  vrefresh: 'uint32',
  flags: 'uint32',
  type: 'uint32',
  name: ['uint8', DRM_DISPLAY_MODE_LEN],
});

/** Reads the `drm_mode_modeinfo` at `base` bytes into the buffer. */
export const readMode = (bytes: Buffer, base: number): DrmMode => ({
  name: modeInfo.readText(bytes, base, 'name'),
  width: modeInfo.read(bytes, base, 'hdisplay'),
  height: modeInfo.read(bytes, base, 'vdisplay'),
  refresh: modeInfo.read(bytes, base, 'vrefresh'),
  preferred: (modeInfo.read(bytes, base, 'type') & DRM_MODE_TYPE_PREFERRED) !== 0,
});
