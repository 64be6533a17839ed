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

  /**
   * Takes the descriptor.
   * @param before what is done with it first; whether that fails makes no difference
   */
  close(fd: OwnedFd, before?: (fd: number) => Promise<void>): void {
    const number = fd.release();
    this.#fdStore.forget(number);
    const closed =
      before === undefined
        ? closing(number)
        : before(number)
            .then(ignore, ignore)
            .then(() => closing(number));
    const done = closed.then(() => {
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

const ignore = (): void => undefined;

/** Linux has given the descriptor up whatever close says, so that there is nothing to do about an error. */
const closing = (fd: number): Promise<void> =>
  new Promise((resolve) => {
    close(fd, () => {
      resolve();
    });
  });
