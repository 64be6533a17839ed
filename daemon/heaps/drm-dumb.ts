import { constants } from 'node:os';

import type { OwnedFd } from '../../dbus/owned-fd.js';
import { KernelError } from '../kernel/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Heap } from './heap.js';

/** Bits of a pixel: 32 is what every driver takes (virtio-gpu nothing else). */
const BITS = 32;
/** Bytes of a row: a power of two that the drivers' pitch steps divide. */
const ROW = 4096;

/**
 * A DRM driver's dumb buffers, asked for as plain bytes: the driver chooses the place, the layout is ours. The kernel
 * asks drivers to clear them (drm_driver.dumb_create: user space relies on it). The node is open only during a call, so that no
 * compositor finds itself without the display, and the GEM handle is closed once the dma-buf exists: only then does the
 * dma-buf's reference count tell who holds it.
 */
export class DrmDumbHeap implements Heap {
  readonly id: string;
  readonly countsReferences = true;
  readonly #path: string;
  readonly #kernel: Pick<Kernel, 'memory' | 'drm'>;

  /** @param path of the primary node */
  constructor(id: string, path: string, kernel: Pick<Kernel, 'memory' | 'drm'>) {
    this.id = id;
    this.#path = path;
    this.#kernel = kernel;
  }

  async allocate(size: bigint): Promise<OwnedFd> {
    const { memory, drm } = this.#kernel;
    using node = memory.openNode(this.#path);
    drm.dropMaster(node.number);
    const dumb = await drm.createDumb(node.number, ROW / (BITS / 8), Math.ceil(Number(size) / ROW), BITS);
    // Closing the node gives back, on every path, a handle that is not closed before.
    if (dumb.size < size) throw new KernelError('DRM_IOCTL_MODE_CREATE_DUMB', ENOMEM);
    const dmaBuf = drm.exportHandle(node.number, dumb.handle);
    try {
      drm.closeHandle(node.number, dumb.handle);
      return dmaBuf;
    } catch (error) {
      dmaBuf.close();
      throw error;
    }
  }

  close(): void {
    // Nothing stays open between calls.
  }
}

const { ENOMEM } = constants.errno;
