import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import type { Heap } from '../../heaps/heap.js';
import { failureOf } from './outcome.js';

const KIB = 1024n;
const MIB = 1024n * KIB;

/**
 * Bytes of a probe buffer, the second where a heap has no room for the first. The system heap makes a buffer of pieces of
 * 1 MiB, then of 64 KiB, then of pages, so that these sizes are pieces of every kind: a driver that needs one piece (on
 * drm_gem_dma or vb2-dma-contig, without an IOMMU) takes any buffer whose pieces happen to be neighbours, which those of one
 * kind often are on a fresh machine. The last page makes that unlikely, and not impossible: it comes from the lists of single
 * pages that every processor keeps, and so would have to be the very one behind the rest. udmabuf's pages come from
 * there one by one, a thousand of them. What luck lets through nevertheless, policy's Contiguous= still refuses.
 * 4 MiB hold 1024 × 1024 pixels of 4 bytes.
 */
export const PROBE_SIZES_BYTES: readonly bigint[] = [
  4n * MIB + 64n * KIB + 4n * KIB,
  MIB + 64n * KIB + 4n * KIB,
];

/** The most that a probe for a larger image takes: 3840 × 2160 pixels of 8 bytes. */
const MAX_PROBE_BYTES = 64n * MIB;

/** A buffer of a heap, lent for a trial. */
export interface ProbeBuffer {
  /** Heap id. */
  readonly heap: string;
  readonly dmaBuf: number;
  /** Bytes that it has at least. */
  readonly size: bigint;
}

/** What a heap gave for a trial, or why it gave nothing. */
export type Probe = ProbeBuffer | { readonly heap: string; readonly lacks: string };

/** One buffer a heap, made when it is first asked for and kept for all devices. */
export class ProbeBuffers implements Disposable {
  readonly #made = new Map<string, { readonly fd: OwnedFd; readonly size: bigint }[]>();
  readonly #lacks = new Map<string, string>();

  /** The heap's probe buffer. */
  async of(heap: Heap): Promise<Probe> {
    const known = this.#find(heap.id, 0n);
    if (known !== undefined) return known;
    const lacks = this.#lacks.get(heap.id);
    if (lacks !== undefined) return { heap: heap.id, lacks };
    let probe: Probe = { heap: heap.id, lacks: 'nothing was tried' };
    for (const size of PROBE_SIZES_BYTES) {
      probe = await this.#make(heap, size);
      if (!('lacks' in probe)) return probe;
    }
    this.#lacks.set(heap.id, probe.lacks);
    return probe;
  }

  /** A buffer of the heap with room for so many bytes. */
  async atLeast(heap: Heap, size: bigint): Promise<Probe> {
    const probe = await this.of(heap);
    if ('lacks' in probe || probe.size >= size) return probe;
    const larger = this.#find(heap.id, size);
    if (larger !== undefined) return larger;
    if (size > MAX_PROBE_BYTES)
      return { heap: heap.id, lacks: `an image of ${size} bytes is too large to try` };
    return this.#make(heap, size);
  }

  #find(heap: string, size: bigint): ProbeBuffer | undefined {
    const found = this.#made.get(heap)?.find((made) => made.size >= size);
    return found && { heap, dmaBuf: found.fd.number, size: found.size };
  }

  async #make(heap: Heap, size: bigint): Promise<Probe> {
    try {
      const fd = await heap.allocate(size);
      this.#made.set(heap.id, [...(this.#made.get(heap.id) ?? []), { fd, size }]);
      return { heap: heap.id, dmaBuf: fd.number, size };
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined) throw error;
      return { heap: heap.id, lacks: failure.message };
    }
  }

  [Symbol.dispose](): void {
    closeAll([...this.#made.values()].flat().map(({ fd }) => fd));
  }
}
