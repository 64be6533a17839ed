import { constants } from 'node:os';

import type { OwnedFd } from '../../dbus/owned-fd.js';
import { KernelError } from '../kernel/errors.js';
import type { Heap } from './heap.js';

/** A heap that is not there any more, of which buffers still are. */
export class GoneHeap implements Heap {
  readonly id: string;
  readonly countsReferences: boolean;
  readonly follow = undefined;

  constructor({ heap, countsReferences }: { readonly heap: string; readonly countsReferences: boolean }) {
    this.id = heap;
    this.countsReferences = countsReferences;
  }

  allocate(): Promise<OwnedFd> {
    return Promise.reject(new KernelError('allocate', constants.errno.ENODEV));
  }

  close(): void {
    // Nothing of it is open.
  }
}
