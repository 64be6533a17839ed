import koffi from 'koffi';

export interface Readiness {
  readonly readable: boolean;
  readonly writable: boolean;
}

/** @param failed the kernel reports an error on the descriptor, and watching has ended by itself */
export type ReadyHandler = (ready: Readiness, failed: boolean) => void;

/**
 * Tells when a descriptor can be read or written. It watches nothing until asked to, and keeps the event loop alive
 * while it does.
 *
 * On koffi.node.poll, which koffi does not document (3.3.4, measured with Node 20, 22, 24 and 26): its callback is
 * `(status, events)` although the types say `(events)`, status being 0 or libuv's negative error. It calls JavaScript
 * without closing Node's callback scope: what it throws may stay unseen until something else turns the event loop, and
 * from Node 26 on so do promises that were settled in it, hence the `setImmediate`. `stop` and `start` after `close`
 * crash the process, hence the guards. A handle that is collected stops silently, hence the callback that refers to it.
 */
export class FdWatch {
  readonly #fd: number;
  readonly #onReady: ReadyHandler;
  #handle: ReturnType<typeof koffi.node.poll> | undefined;
  #interest: Readiness = { readable: false, writable: false };
  #closed = false;

  /** @param fd borrowed; close the watch before the descriptor */
  constructor(fd: number, onReady: ReadyHandler) {
    this.#fd = fd;
    this.#onReady = onReady;
  }

  /** Changes what is waited for; nothing at all is allowed. */
  watch(interest: Readiness): void {
    if (this.#closed) return;
    const { readable, writable } = this.#interest;
    if (readable === interest.readable && writable === interest.writable) return;
    this.#interest = interest;
    if (!interest.readable && !interest.writable) this.#handle?.stop();
    else if (this.#handle === undefined)
      this.#handle = koffi.node.poll(this.#fd, { ...interest }, this.#callback);
    else this.#handle.start({ ...interest }, this.#callback);
  }

  /** Ends watching; no callback comes after it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handle?.close();
    this.#handle = undefined;
  }

  readonly #callback = ((status: number, events: Readiness): void => {
    if (this.#closed) return;
    if (status < 0) this.close();
    try {
      this.#onReady(events, status < 0);
      setImmediate(turn);
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  }) as unknown as (events: Readiness) => void;
}

/** Does nothing: after it, Node continues promises. */
const turn = (): void => undefined;
