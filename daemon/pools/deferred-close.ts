import { close } from 'node:fs';

import type { OwnedFd } from '../../dbus/owned-fd.js';
import { NO_FD_STORE, type FdStore } from './fd-store.js';

/**
 * Closes buffers off the event loop: the last close of a large buffer frees its pages, which takes milliseconds
 * (33 MB of a memfd: 4).
 */
export class DeferredClose {
  readonly #fdStore: FdStore;
  readonly #closing = new Set<Promise<void>>();

  /** @param fdStore gives up its copy of what is closed */
  constructor(fdStore = NO_FD_STORE) {
    this.#fdStore = fdStore;
  }

  /** Takes the descriptor. */
  close(fd: OwnedFd): void {
    const number = fd.release();
    this.#fdStore.forget(number);
    const done = new Promise<void>((resolve) => {
      // Linux has given the descriptor up whatever close says, so that there is nothing to do about an error.
      close(number, () => {
        resolve();
      });
    }).then(() => {
      this.#closing.delete(done);
    });
    this.#closing.add(done);
  }

  /** Whether memory is still on its way back to the kernel. */
  get busy(): boolean {
    return this.#closing.size > 0;
  }

  /** Settles when everything that was closing at the call is closed. */
  async settled(): Promise<void> {
    await Promise.all(this.#closing);
  }
}
