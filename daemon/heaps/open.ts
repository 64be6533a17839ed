import { KernelError } from '../kernel/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import { DmaHeap } from './dma-heap.js';
import { DrmDumbHeap } from './drm-dumb.js';
import { GuardedHeap } from './guarded-heap.js';
import type { Heap } from './heap.js';
import { MemfdHeap } from './memfd.js';
import { UdmabufHeap } from './udmabuf.js';

/** A heap as the inventory found it. */
export interface HeapSubject {
  readonly id: string;
  readonly kind: 'dma-heap' | 'udmabuf' | 'drm-dumb' | 'memfd';
  /** Absent for memfd. */
  readonly node?: string;
  readonly usable: boolean;
  /** Why not. */
  readonly unusable?: string;
}

export interface OpenOptions {
  readonly kernel: Kernel;
  /** Put before every node. */
  readonly root: string;
  /** Bytes. */
  readonly pageSize: bigint;
}

export interface OpenedHeaps {
  /** The caller closes them. */
  readonly heaps: readonly Heap[];
  /** Those that could not be opened, and why; for the log. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

/** Opens what it may and says of the rest why not. */
export function openHeaps(subjects: readonly HeapSubject[], options: OpenOptions): OpenedHeaps {
  const heaps: Heap[] = [];
  const refused: { id: string; reason: string }[] = [];
  for (const subject of subjects) {
    if (!subject.usable) {
      refused.push({ id: subject.id, reason: subject.unusable ?? 'not usable' });
      continue;
    }
    try {
      heaps.push(new GuardedHeap(openHeap(subject, options)));
    } catch (error) {
      if (!(error instanceof KernelError)) {
        for (const heap of heaps) heap.close();
        throw error;
      }
      refused.push({ id: subject.id, reason: error.message });
    }
  }
  return { heaps, refused };
}

/** Plain memory in the place of a heap that is not of this machine: what runs on a recorded profile hands it out. */
export const profileHeap = (
  { id }: Pick<HeapSubject, 'id'>,
  { kernel, pageSize }: Pick<OpenOptions, 'kernel' | 'pageSize'>,
): Heap => new MemfdHeap(id, kernel.memory, pageSize);

function openHeap({ id, kind, node = '' }: HeapSubject, { kernel, root, pageSize }: OpenOptions): Heap {
  const path = root + node;
  switch (kind) {
    case 'memfd':
      return new MemfdHeap(id, kernel.memory, pageSize);
    case 'dma-heap':
      return new DmaHeap(id, kernel.memory.openNode(path), kernel.memory);
    case 'udmabuf':
      return new UdmabufHeap(id, kernel.memory.openNode(path), kernel.memory, pageSize);
    case 'drm-dumb':
      return new DrmDumbHeap(id, path, kernel);
  }
}
