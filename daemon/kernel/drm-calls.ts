import { textOf } from '../../dbus/native/layout.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { DrmCalls, DrmCapability } from './drm.js';
import { bufferCalls } from './drm-buffers.js';
import * as numbers from './drm-constants.js';
import { displayCalls } from './drm-display.js';
import * as ioctls from './drm-ioctls.js';
import { DRM_IOCTL_DROP_MASTER } from './drm-ioctls.js';
import { planeCalls } from './drm-planes.js';
import * as structs from './drm-structs.js';
import { kernelEdge, type IoctlEdge } from './ioctl.js';
import { readArrays } from './kernel-arrays.js';
import { KernelError } from './errors.js';
import { openPath, requireNode } from './open-node.js';

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

/**
 * Errnos of a node that is not master; of a render node, and (before Linux 5.8) of a caller that may not drop what it is; of a
 * file that is no DRM node, which the calls that follow say better.
 */
const NOT_MASTER: readonly string[] = ['EINVAL', 'EACCES', 'ENOTTY'];

/** Nothing may come between the first two calls: as long as the node is master, no compositor can become it. */
export function openDrmNode(edge: IoctlEdge, path: string): OwnedFd {
  const node = openPath(path);
  try {
    edge.now(DRM_IOCTL_DROP_MASTER, node.number, null);
  } catch (error) {
    if (!(error instanceof KernelError && NOT_MASTER.includes(error.code))) {
      node.close();
      throw error;
    }
  }
  return requireNode(node);
}
