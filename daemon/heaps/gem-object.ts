import { KernelError } from '../kernel/errors.js';
import type { Kernel } from '../kernel/kernel.js';

/** Where the memory of a GEM object stands in the file of its card. Bytes. */
export interface GemPlace {
  readonly offset: bigint;
  readonly size: bigint;
}

/** Of a node whose device was unplugged, or whose file went with it. */
const GONE: readonly string[] = ['ENODEV', 'ENXIO', 'ENOENT'];

/**
 * Whether a GEM object still lives, whatever holds it: a handle, a mapping, a framebuffer or a dma-buf. An offset is the
 * object's until it is freed, so the kernel answers a stranger who maps it EACCES while there is one, and EINVAL when there
 * is none (drm_gem_mmap in drivers/gpu/drm/drm_gem.c). Another object of the same size that takes the offset later looks the
 * same.
 * @param path of the card's primary node, which is open only during the call
 * @returns undefined when the kernel answers otherwise
 */
export function gemObjectLives(
  path: string,
  { offset, size }: GemPlace,
  { drm, memory }: Pick<Kernel, 'drm' | 'memory'>,
): boolean | undefined {
  try {
    using node = drm.open(path);
    using _mapping = memory.map(node.number, offset, size);
    return true;
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    if (error.call === 'mmap' && error.code === 'EACCES') return true;
    if (error.call === 'mmap' && error.code === 'EINVAL') return false;
    return GONE.includes(error.code) ? false : undefined;
  }
}
