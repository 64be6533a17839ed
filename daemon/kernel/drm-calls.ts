import { textOf } from '../../dbus/native/layout.js';
import type { DrmCalls, DrmCapability } from './drm.js';
import { bufferCalls } from './drm-buffers.js';
import * as numbers from './drm-constants.js';
import { displayCalls } from './drm-display.js';
import * as ioctls from './drm-ioctls.js';
import { openDrmNode } from './drm-open.js';
import { planeCalls } from './drm-planes.js';
import * as structs from './drm-structs.js';
import { kernelEdge, type IoctlEdge } from './ioctl-edge.js';
import { readArrays } from './kernel-arrays.js';

const CAPABILITIES: Readonly<Record<DrmCapability, number>> = {
  DUMB_BUFFER: numbers.DRM_CAP_DUMB_BUFFER,
  PRIME: numbers.DRM_CAP_PRIME,
  ADDFB2_MODIFIERS: numbers.DRM_CAP_ADDFB2_MODIFIERS,
  CURSOR_WIDTH: numbers.DRM_CAP_CURSOR_WIDTH,
  CURSOR_HEIGHT: numbers.DRM_CAP_CURSOR_HEIGHT,
};

export const createDrmCalls = (edge: IoctlEdge): DrmCalls => ({
  ...displayCalls(edge),
  ...planeCalls(edge),
  ...bufferCalls(edge),

  open: (path) => openDrmNode(edge, path),

  version(node) {
    const { bytes } = readArrays(edge, node, {
      call: ioctls.DRM_IOCTL_VERSION,
      struct: structs.version,
      values: {},
      arrays: [
        { pointer: 'name', count: 'name_len', element: 1 },
        { pointer: 'desc', count: 'desc_len', element: 1 },
      ],
    });
    return { name: textOf(bytes.name), description: textOf(bytes.desc) };
  },

  capability(node, capability) {
    const argument = structs.getCap.make({ capability: CAPABILITIES[capability] });
    edge.now(ioctls.DRM_IOCTL_GET_CAP, node, argument);
    return structs.getCap.readWide(argument, 0, 'value');
  },
});

export const drmCalls = createDrmCalls(kernelEdge);
