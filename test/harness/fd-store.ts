import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { listenForDatagrams, type Datagram } from '../../daemon/kernel/datagram-socket.js';
import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';

export interface FdStoreOptions {
  /** Descriptors that are kept at most (`FileDescriptorStoreMax=`). */
  readonly capacity?: number;
}

/** The part of systemd that a service's descriptors are kept by: what sd_pid_notify_with_fds(3) says, and nothing more. */
export class FdStore implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'dmabroker-store-'));
  readonly #capacity: number;
  readonly #fds = new Map<string, OwnedFd>();
  readonly #socket: Disposable;
  /** Assignments that came, but for those about descriptors. */
  readonly said: string[] = [];
  readonly #heard = new EventEmitter();
  /** Whether it answers at all. */
  #answers = true;
  readonly #waiting: Datagram[] = [];

  constructor({ capacity = 4096 }: FdStoreOptions = {}) {
    this.#capacity = capacity;
    this.#socket = listenForDatagrams(this.path, (datagram) => {
      if (this.#answers) this.#receive(datagram);
      else this.#waiting.push(datagram);
    });
  }

  get path(): string {
    return join(this.#directory, 'notify');
  }

  /** What is kept, by name; borrowed. */
  get kept(): ReadonlyMap<string, OwnedFd> {
    return this.#fds;
  }

  /** Settles when this is said the next time. */
  async next(text: string): Promise<void> {
    await once(this.#heard, text);
  }

  /** Does nothing with what comes until it is called again with true. */
  answer(whether: boolean): void {
    this.#answers = whether;
    if (whether) for (const datagram of this.#waiting.splice(0)) this.#receive(datagram);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
    this.answer(true);
    closeAll(this.#fds.values());
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #receive({ text, fds }: Datagram): void {
    const lines = text.split('\n');
    const name = lines.find((line) => line.startsWith('FDNAME='))?.slice('FDNAME='.length) ?? 'stored';
    const [fd] = fds;
    if (lines.includes('FDSTORE=1') && fd !== undefined && this.#fds.size < this.#capacity)
      this.#fds.set(name, fd);
    else closeAll(fds);
    if (lines.includes('FDSTOREREMOVE=1')) {
      this.#fds.get(name)?.close();
      this.#fds.delete(name);
    }
    if (text.includes('FDNAME=') || text === 'BARRIER=1') return;
    this.said.push(text);
    this.#heard.emit(text);
  }
}
