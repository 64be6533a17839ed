import { readFile } from 'node:fs/promises';

import { busAddress, connectBus, getCredentials } from '../../../dbus/connection/bus.js';
import type { Bus } from '../../../dbus/connection/bus-types.js';
import { printable } from '../table.js';
import type { OwnerPicture, Picture } from './tally.js';

/** Processes behind connections, as the bus knows them: `mpv[4711]`. A process may be gone, and its number reused. */
export class Processes implements AsyncDisposable {
  readonly #bus: Bus | undefined;
  readonly #asked = new Set<string>();
  readonly #known = new Map<string, string>();

  private constructor(bus: Bus | undefined) {
    this.#bus = bus;
  }

  /** On the same bus as the broker, by a connection of its own; without one, nothing is known. */
  static async on(bus: string): Promise<Processes> {
    try {
      return new Processes(await connectBus(busAddress(bus, process.env)));
    } catch {
      return new Processes(undefined);
    }
  }

  /** The picture with the processes that are known. */
  named(picture: Picture): Picture {
    return { ...picture, owners: picture.owners.map((owner) => this.#named(owner)) };
  }

  /** Learns of the owners that were not asked for yet. Never rejects. @returns whether there was any */
  async learn({ owners }: Picture): Promise<boolean> {
    const names = new Set(owners.map(({ owner }) => owner));
    const strangers = [...names].filter((owner) => !this.#asked.has(owner));
    for (const owner of strangers) this.#asked.add(owner);
    await Promise.all(strangers.map(async (owner) => this.#ask(owner)));
    for (const owner of this.#asked) {
      if (names.has(owner)) continue;
      this.#asked.delete(owner);
      this.#known.delete(owner);
    }
    return strangers.length > 0;
  }

  #named(owner: OwnerPicture): OwnerPicture {
    const name = this.#known.get(owner.owner);
    return name === undefined ? owner : { ...owner, process: name };
  }

  async #ask(owner: string): Promise<void> {
    if (this.#bus === undefined) return;
    try {
      const { pid } = await getCredentials(this.#bus, owner);
      if (pid === undefined) return;
      const comm = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      this.#known.set(owner, `${printable(comm.trim())}[${pid}]`);
    } catch {
      // It left the bus, or is another user's in a sandbox: then its unit is all that is known.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bus?.close();
  }
}
