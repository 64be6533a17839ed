import { constants } from 'node:os';

import type { OwnedFd } from '../../dbus/owned-fd.js';
import { KernelError } from '../kernel/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import { DUMB_BITS, dumbImage } from './dumb-image.js';
import type { Heap } from './heap.js';

type DumbKernel = Pick<Kernel, 'drm' | 'dmaBuf'>;

/**
 * A DRM driver's dumb buffers, asked for as plain bytes: the driver chooses the place, the layout is ours. They are
 * cleared here, because nothing in the kernel obliges a driver to do it. The node is open only during a call, so that no
 * compositor finds itself without the display, and the GEM handle is closed once the dma-buf exists: only then does the
 * dma-buf's reference count tell who holds it.
 */
export class DrmDumbHeap implements Heap {
  readonly id: string;
  readonly countsReferences = true;
  readonly #path: string;
  readonly #kernel: DumbKernel;

  /** @param path of the primary node */
  constructor(id: string, path: string, kernel: DumbKernel) {
    this.id = id;
    this.#path = path;
    this.#kernel = kernel;
  }

  async allocate(size: bigint): Promise<OwnedFd> {
    const dmaBuf = await this.#export(size);
    try {
      await this.#kernel.dmaBuf.clear(dmaBuf.number);
      return dmaBuf;
    } catch (error) {
      dmaBuf.close();
      throw error;
    }
  }

  async #export(size: bigint): Promise<OwnedFd> {
    const { drm } = this.#kernel;
    const image = dumbImage(size);
    if (image === undefined) throw tooLarge();
    using node = drm.open(this.#path);
    const dumb = await drm.createDumb(node.number, image.width, image.height, DUMB_BITS);
    // Closing the node gives back, on every path, a handle that is not closed before.
    if (dumb.size < size) throw tooLarge();
    const dmaBuf = drm.exportHandle(node.number, dumb.handle);
    try {
      await drm.closeHandle(node.number, dumb.handle);
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

const tooLarge = (): KernelError => new KernelError('DRM_IOCTL_MODE_CREATE_DUMB', constants.errno.ENOMEM);
