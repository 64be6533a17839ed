/** Numbers of drm.h, drm_mode.h and drm_fourcc.h, each under its name there. */
export const DRM_CAP_DUMB_BUFFER = 0x1;
export const DRM_CAP_PRIME = 0x5;
export const DRM_CAP_CURSOR_WIDTH = 0x8;
export const DRM_CAP_CURSOR_HEIGHT = 0x9;
export const DRM_CAP_ADDFB2_MODIFIERS = 0x10;

export const DRM_CLIENT_CAP_UNIVERSAL_PLANES = 2;

export const DRM_MODE_OBJECT_PLANE = 0xee_ee_ee_ee;
export const DRM_MODE_TYPE_PREFERRED = 1 << 3;
export const DRM_MODE_FB_MODIFIERS = 1 << 1;
export const DRM_DISPLAY_MODE_LEN = 32;
export const DRM_PROP_NAME_LEN = 32;

export const FORMAT_BLOB_CURRENT = 1;
export const DRM_FORMAT_MOD_INVALID = 0x00ff_ffff_ffff_ffffn;
