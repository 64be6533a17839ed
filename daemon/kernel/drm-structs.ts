import { DRM_PROP_NAME_LEN } from './drm-constants.js';
import { modeInfo } from './drm-mode.js';
import { KernelStruct } from './struct.js';

/** Structs of drm.h and drm_mode.h. */
export const version = new KernelStruct('drm_version', {
  version_major: 'int',
  version_minor: 'int',
  version_patchlevel: 'int',
  name_len: 'size_t',
  name: 'void *',
  date_len: 'size_t',
  date: 'void *',
  desc_len: 'size_t',
  desc: 'void *',
});

export const getCap = new KernelStruct('drm_get_cap', { capability: 'uint64', value: 'uint64' });

export const setClientCap = new KernelStruct('drm_set_client_cap', { capability: 'uint64', value: 'uint64' });

export const gemClose = new KernelStruct('drm_gem_close', { handle: 'uint32', pad: 'uint32' });

export const primeHandle = new KernelStruct('drm_prime_handle', {
  handle: 'uint32',
  flags: 'uint32',
  fd: 'int',
});

export const cardResources = new KernelStruct('drm_mode_card_res', {
  fb_id_ptr: 'uint64',
  crtc_id_ptr: 'uint64',
  connector_id_ptr: 'uint64',
  encoder_id_ptr: 'uint64',
  count_fbs: 'uint32',
  count_crtcs: 'uint32',
  count_connectors: 'uint32',
  count_encoders: 'uint32',
  min_width: 'uint32',
  max_width: 'uint32',
  min_height: 'uint32',
  max_height: 'uint32',
});

export const getCrtc = new KernelStruct('drm_mode_crtc', {
  set_connectors_ptr: 'uint64',
  count_connectors: 'uint32',
  crtc_id: 'uint32',
  fb_id: 'uint32',
  x: 'uint32',
  y: 'uint32',
  gamma_size: 'uint32',
  mode_valid: 'uint32',
  mode: modeInfo,
});

export const getEncoder = new KernelStruct('drm_mode_get_encoder', {
  encoder_id: 'uint32',
  encoder_type: 'uint32',
  crtc_id: 'uint32',
  possible_crtcs: 'uint32',
  possible_clones: 'uint32',
});

export const getConnector = new KernelStruct('drm_mode_get_connector', {
  encoders_ptr: 'uint64',
  modes_ptr: 'uint64',
  props_ptr: 'uint64',
  prop_values_ptr: 'uint64',
  count_modes: 'uint32',
  count_props: 'uint32',
  count_encoders: 'uint32',
  encoder_id: 'uint32',
  connector_id: 'uint32',
  connector_type: 'uint32',
  connector_type_id: 'uint32',
  connection: 'uint32',
  mm_width: 'uint32',
  mm_height: 'uint32',
  subpixel: 'uint32',
  pad: 'uint32',
});

export const getPlaneResources = new KernelStruct('drm_mode_get_plane_res', {
  plane_id_ptr: 'uint64',
  count_planes: 'uint32',
});

export const getPlane = new KernelStruct('drm_mode_get_plane', {
  plane_id: 'uint32',
  crtc_id: 'uint32',
  fb_id: 'uint32',
  possible_crtcs: 'uint32',
  gamma_size: 'uint32',
  count_format_types: 'uint32',
  format_type_ptr: 'uint64',
});

export const getObjectProperties = new KernelStruct('drm_mode_obj_get_properties', {
  props_ptr: 'uint64',
  prop_values_ptr: 'uint64',
  count_props: 'uint32',
  obj_id: 'uint32',
  obj_type: 'uint32',
});

export const getProperty = new KernelStruct('drm_mode_get_property', {
  values_ptr: 'uint64',
  enum_blob_ptr: 'uint64',
  prop_id: 'uint32',
  flags: 'uint32',
  name: ['uint8', DRM_PROP_NAME_LEN],
  count_values: 'uint32',
  count_enum_blobs: 'uint32',
});

export const getBlob = new KernelStruct('drm_mode_get_blob', {
  blob_id: 'uint32',
  length: 'uint32',
  data: 'uint64',
});

export const createDumb = new KernelStruct('drm_mode_create_dumb', {
  height: 'uint32',
  width: 'uint32',
  bpp: 'uint32',
  flags: 'uint32',
  handle: 'uint32',
  pitch: 'uint32',
  size: 'uint64',
});

export const mapDumb = new KernelStruct('drm_mode_map_dumb', {
  handle: 'uint32',
  pad: 'uint32',
  offset: 'uint64',
});

export const destroyDumb = new KernelStruct('drm_mode_destroy_dumb', { handle: 'uint32' });

export const framebufferCommand = new KernelStruct('drm_mode_fb_cmd2', {
  fb_id: 'uint32',
  width: 'uint32',
  height: 'uint32',
  pixel_format: 'uint32',
  flags: 'uint32',
  handles: ['uint32', 4],
  pitches: ['uint32', 4],
  offsets: ['uint32', 4],
  modifier: ['uint64', 4],
});
