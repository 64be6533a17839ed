import { constants } from 'node:os';

import type { OwnedFd } from '../../dbus/owned-fd.js';
import { KernelError } from '../kernel/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import { gemObjectLives, type GemPlace } from './gem-object.js';
import { pictureFor, dumbImage, type DumbImage } from './dumb-image.js';
import type { Heap, Picture, Remains } from './heap.js';

type DumbKernel = Pick<Kernel, 'drm' | 'dmaBuf' | 'memory'>;
type DumbBuffer = Awaited<ReturnType<Kernel['drm']['createDumb']>>;

/**
 * A DRM driver's dumb buffers, asked for as plain bytes, or as the picture where the driver keeps its width and height: the
 * driver chooses the place, the layout is ours. They are
 * cleared here, because nothing in the kernel obliges a driver to do it. The node is open only during a call, so that no
 * compositor finds itself without the display, and the GEM handle is closed once the dma-buf exists: only then does the
 * dma-buf's reference count tell who holds it. A client that opens the card can keep the GEM object without the dma-buf, so
 * the object is followed to its end.
 */
export class DrmDumbHeap implements Heap {
  readonly id: string;
  readonly countsReferences = true;
  readonly #path: string;
  readonly #kernel: DumbKernel;
  /** Objects that were seen at each offset, one after the other: a new one proves that the one before is gone. */
  readonly #seen = new Map<bigint, symbol>();

  /** @param path of the primary node */
  constructor(id: string, path: string, kernel: DumbKernel) {
    this.id = id;
    this.#path = path;
    this.#kernel = kernel;
  }

  async allocate(size: bigint, picture?: Picture): Promise<OwnedFd> {
    const dmaBuf = await this.#export(size, picture);
    try {
      await this.#kernel.dmaBuf.clear(dmaBuf.number);
      return dmaBuf;
    } catch (error) {
      dmaBuf.close();
      throw error;
    }
  }

  readonly follow = async (dmaBuf: number, size: bigint): Promise<Remains> => {
    const place = await this.#placeOf(dmaBuf, size);
    if (place === undefined) return { held: () => undefined };
    const { offset } = place;
    const object = Symbol();
    this.#seen.set(offset, object);
    return {
      held: (isTold) => {
        if (this.#seen.get(offset) !== object) return false;
        const lives = isTold ? gemObjectLives(this.#path, place, this.#kernel) : undefined;
        if (lives === false) this.#seen.delete(offset);
        return lives;
      },
    };
  };

  /** @returns undefined where the kernel does not say where the object is mapped */
  async #placeOf(dmaBuf: number, size: bigint): Promise<GemPlace | undefined> {
    const { drm } = this.#kernel;
    try {
      using node = drm.open(this.#path);
      // Closing the node gives the handle back.
      const handle = await drm.importDmaBuf(node.number, dmaBuf);
      return { offset: drm.mapDumb(node.number, handle), size };
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      return undefined;
    }
  }

  async #export(size: bigint, picture: Picture | undefined): Promise<OwnedFd> {
    const { drm } = this.#kernel;
    const bytes = dumbImage(size);
    if (bytes === undefined) throw tooLarge();
    using node = drm.open(this.#path);
    const dumb = await this.#create(node.number, picture && pictureFor(picture, size), bytes);
    // Closing the node gives back, on every path, a handle that is not closed before.
    if (dumb.size < size) throw tooLarge();
    const dmaBuf = drm.exportHandle(node.number, dumb.handle);
    try {
      this.#notice(node.number, dumb.handle);
      await drm.closeHandle(node.number, dumb.handle);
      return dmaBuf;
    } catch (error) {
      dmaBuf.close();
      throw error;
    }
  }

  /** A driver that makes no pictures of such pixels shows none: then it is memory like any other. */
  async #create(node: number, picture: DumbImage | undefined, bytes: DumbImage): Promise<DumbBuffer> {
    const make = ({ width, height, bitsPerPixel }: DumbImage): Promise<DumbBuffer> =>
      this.#kernel.drm.createDumb(node, width, height, bitsPerPixel);
    if (picture === undefined) return make(bytes);
    try {
      return await make(picture);
    } catch (error) {
      if (error instanceof KernelError && error.code === 'EINVAL') return make(bytes);
      throw error;
    }
  }

  /** Whatever object was followed at the new one's offset is gone. */
  #notice(node: number, handle: number): void {
    if (this.#seen.size === 0) return;
    try {
      this.#seen.delete(this.#kernel.drm.mapDumb(node, handle));
    } catch (error) {
      // The object before is asked for as if this one were not there.
      if (!(error instanceof KernelError)) throw error;
    }
  }

  close(): void {
    // Nothing stays open between calls.
  }
}

const tooLarge = (): KernelError => new KernelError('DRM_IOCTL_MODE_CREATE_DUMB', constants.errno.ENOMEM);
