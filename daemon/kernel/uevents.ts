import { FdWatch } from '../../dbus/native/fd-watch.js';
import { KernelError } from './errors.js';
import type { UeventCalls, UeventListener } from './kernel.js';
import { parseUevent } from './uevent.js';
import { openUeventSocket, type UeventRead, type UeventSocket } from './uevent-socket.js';

/** Datagrams that are read before others get their turn; a start of the machine has thousands. */
const DATAGRAMS_PER_TURN = 64;

/** @param open where the events come from; the kernel, but for tests */
export const createUeventCalls = (open: () => UeventSocket): UeventCalls => ({
  listen: (listener) => new UeventStream(open, listener),
});

export const ueventCalls = createUeventCalls(openUeventSocket);

/** Reads whatever comes, and goes on with a new socket when events were lost in the old one. */
class UeventStream implements Disposable {
  readonly #open: () => UeventSocket;
  readonly #listener: UeventListener;
  #socket: UeventSocket;
  #watch: FdWatch;
  #closed = false;

  constructor(open: () => UeventSocket, listener: UeventListener) {
    this.#open = open;
    this.#listener = listener;
    this.#socket = open();
    this.#watch = this.#watchSocket();
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    this.#socket.close();
  }

  #watchSocket(): FdWatch {
    const watch = new FdWatch(this.#socket.fd, (_ready, failed) => {
      // The kernel reports events that found no room as an error of the descriptor, which ends the watch.
      if (failed) this.#reopen();
      else this.#read();
    });
    watch.watch({ readable: true, writable: false });
    return watch;
  }

  #read(): void {
    for (let i = 0; i < DATAGRAMS_PER_TURN && !this.#closed; i++) {
      const read = this.#next();
      if (read === 'blocked') return;
      if (read === 'lost') this.#listener.lost();
      else if (read.kernel) this.#tell(read.bytes);
    }
  }

  /** What is there to read; a socket that cannot be read any more has nothing. */
  #next(): UeventRead {
    try {
      return this.#socket.read();
    } catch (error) {
      this.#end(error);
      return 'blocked';
    }
  }

  #tell(bytes: Buffer): void {
    const uevent = parseUevent(bytes);
    if (uevent !== undefined) this.#listener.event(uevent);
  }

  #reopen(): void {
    this.#watch.close();
    this.#socket.close();
    try {
      this.#socket = this.#open();
    } catch (error) {
      this.#end(error);
      return;
    }
    this.#watch = this.#watchSocket();
    this.#listener.lost();
  }

  #end(error: unknown): void {
    this[Symbol.dispose]();
    if (!(error instanceof KernelError)) throw error;
    this.#listener.ended(error);
  }
}
