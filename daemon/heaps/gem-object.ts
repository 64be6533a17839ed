import { KernelError } from '../kernel/errors.js';
import type { Kernel, MemoryCalls } from '../kernel/kernel.js';

/** Where the memory of a GEM object stands in the file of its card. Bytes. */
export interface GemPlace {
  readonly offset: bigint;
  readonly size: bigint;
}

/** Errnos of a node whose device was unplugged, or whose file went with it. */
const GONE: readonly string[] = ['ENODEV', 'ENXIO', 'ENOENT'];

/**
 * Whether a GEM object still lives, whatever holds it: a handle, a mapping, a framebuffer or a dma-buf. An offset is the
 * object's until it is freed, so the kernel answers a stranger who maps it EACCES while there is one, and EINVAL when there
 * is none (drm_gem_mmap in drivers/gpu/drm/drm_gem.c). It answers the same of a larger object that took the offset since,
 * which is told apart by a length of one page more. One of the very same size is not told apart, and seems to be the old one
 * until it is freed too.
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
    const isTaken = (length: bigint): boolean => offsetIsTaken(node.number, offset, length, memory);
    // The kernel rounds a length up to whole pages.
    return isTaken(size) && !isTaken(size + 1n);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return error.call === 'open' && GONE.includes(error.code) ? false : undefined;
  }
}

/** Whether an object of at least so many bytes has the offset. */
function offsetIsTaken(
  node: number,
  offset: bigint,
  size: bigint,
  memory: Pick<MemoryCalls, 'map'>,
): boolean {
  try {
    memory.map(node, offset, size)[Symbol.dispose]();
    return true;
  } catch (error) {
    const code = error instanceof KernelError && error.call === 'mmap' ? error.code : undefined;
    if (code === 'EACCES') return true;
    if (code === 'EINVAL') return false;
    throw error;
  }
}
