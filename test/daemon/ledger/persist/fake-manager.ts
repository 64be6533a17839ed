import { OwnedFd } from '../../../../dbus/owned-fd.js';
import type { ServiceManager } from '../../../../daemon/kernel/service-manager.js';

/** A service manager in this process, which keeps copies as systemd does. */
export class FakeManager implements ServiceManager {
  readonly kept = new Map<string, OwnedFd>();
  /** First lines of what came, with names. */
  readonly heard: string[] = [];
  capacity = Infinity;
  /** Whether it takes anything now. */
  hasRoom = true;
  isGone = false;
  /** Whether it comes to what was sent at all. */
  answers = true;
  readonly #waiting: (() => void)[] = [];

  send(text: string, fds: readonly { readonly number: number }[] = []): boolean {
    if (this.isGone) throw new Error('ECONNREFUSED');
    if (!this.hasRoom) return false;
    // A message that waits has references to its descriptors too.
    const copies = fds.map(({ number }) => copyOf(number));
    this.#later(() => {
      this.#receive(text, copies);
    });
    return true;
  }

  barrier(): Promise<void> | undefined {
    if (this.isGone) throw new Error('ECONNREFUSED');
    if (!this.hasRoom) return undefined;
    return new Promise((resolve) => {
      this.#later(resolve);
    });
  }

  /** Comes to what it had not come to. */
  answer(): void {
    this.answers = true;
    for (const act of this.#waiting.splice(0)) act();
  }

  /** What a new start gets: its own descriptors, and the manager keeps its copies. */
  handOut(): ReadonlyMap<string, OwnedFd> {
    return new Map([...this.kept].map(([name, fd]) => [name, fd.dup()]));
  }

  [Symbol.dispose](): void {
    this.answer();
    for (const fd of this.kept.values()) fd.close();
    this.kept.clear();
  }

  #later(act: () => void): void {
    if (this.answers) act();
    else this.#waiting.push(act);
  }

  #receive(text: string, fds: readonly OwnedFd[]): void {
    const [what = ''] = text.split('\n');
    const name = /^FDNAME=(.*)$/m.exec(text)?.[1] ?? '';
    this.heard.push(`${what} ${name}`);
    const [fd] = fds;
    if (what === 'FDSTOREREMOVE=1') {
      this.kept.get(name)?.close();
      this.kept.delete(name);
    }
    if (what !== 'FDSTORE=1' || fd === undefined) return;
    if (this.kept.size < this.capacity) this.kept.set(name, fd);
    else fd.close();
  }
}

/** @param fd lent */
function copyOf(fd: number): OwnedFd {
  const lent = new OwnedFd(fd);
  const copy = lent.dup();
  lent.release();
  return copy;
}
