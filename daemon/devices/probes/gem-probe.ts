import { gemObjectLives, type GemPlace } from '../../heaps/gem-object.js';
import type { DumbBuffer } from '../../kernel/drm.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { Fact, Retention } from '../inventory.js';
import { giveBack } from './outcome.js';

type GemKernel = Pick<Kernel, 'drm' | 'memory'>;

/** Pixels of a side, and bits of a pixel: as small as a cursor. */
const SIDE_PIXELS = 64;
const BITS_PER_PIXEL = 32;
const SOURCE = 'probe:MODE_MAP_DUMB';

/**
 * Whether the kernel tells when the last holder of a dumb buffer is gone. A client that maps the buffer through the card, or
 * through its dma-buf, keeps the memory after it closed everything else; both are played here. A mapping by a driver on TTM
 * holds the memory and not the object (bochs on Linux 6.12), and on i915 a dma-buf's mapping moves to another file.
 * @param path of the card's primary node
 * @throws {KernelError} the card makes no dumb buffer that can be exported and mapped
 */
export async function probeGemObjects(path: string, kernel: GemKernel): Promise<Fact<Retention>> {
  const ways = [throughCard, throughDmaBuf];
  for (const way of ways) if (!(await isTold(path, kernel, way))) return { value: 'unknown', source: SOURCE };
  return { value: 'visible', source: SOURCE };
}

/** Maps a buffer of an open card, so that the mapping is all that holds it once the handle is closed. */
type Way = (kernel: GemKernel, card: number, dumb: DumbBuffer, offset: bigint) => Disposable;

const throughCard: Way = ({ memory }, card, { size }, offset) => memory.map(card, offset, size);

const throughDmaBuf: Way = ({ drm, memory }, card, { handle, size }) => {
  using dmaBuf = drm.exportHandle(card, handle);
  return memory.map(dmaBuf.number, 0n, size);
};

/** Whether the object is said to live while it is mapped, and to be gone afterwards. */
async function isTold(path: string, kernel: GemKernel, way: Way): Promise<boolean> {
  using card = kernel.drm.open(path);
  const { place, mapping } = await onlyMapped(card.number, kernel, way);
  const lives = (): boolean | undefined => gemObjectLives(path, place, kernel);
  {
    using _until = mapping;
    if (lives() !== true) return false;
  }
  return lives() === false;
}

/** An object that nothing holds but a mapping. */
async function onlyMapped(
  card: number,
  kernel: GemKernel,
  way: Way,
): Promise<{ readonly place: GemPlace; readonly mapping: Disposable }> {
  const { drm } = kernel;
  const dumb = await drm.createDumb(card, SIDE_PIXELS, SIDE_PIXELS, BITS_PER_PIXEL);
  try {
    const offset = drm.mapDumb(card, dumb.handle);
    return { place: { offset, size: dumb.size }, mapping: way(kernel, card, dumb, offset) };
  } finally {
    await giveBack(() => drm.closeHandle(card, dumb.handle));
  }
}
