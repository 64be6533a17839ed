import type { OwnedFd } from '../../dbus/owned-fd.js';
import { DRM_IOCTL_DROP_MASTER } from './drm-ioctls.js';
import { KernelError } from './errors.js';
import type { IoctlEdge } from './ioctl-edge.js';
import { openPath, requireNode } from './open-node.js';

/**
 * Of a node that is not master; of a render node, and (before Linux 5.8) of a caller that may not drop what it is; of a
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
