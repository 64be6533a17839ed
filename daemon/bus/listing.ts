import { setImmediate as othersFirst } from 'node:timers/promises';

import { prepare } from '../../dbus/connection/prepare.js';
import type { WireValue } from '../../dbus/connection/bus-types.js';
import type { ListedObject } from './objects.js';

/** Milliseconds of the loop at a time: a listing of thousands of objects takes hundreds to write. */
const SLICE_MS = 1;

const entryOf = (object: ListedObject): readonly WireValue[] => [object.path, object.interfaces()];

/** What `GetManagedObjects` answers: `a{oa{sa{sv}}}`. */
export const listingOf = (objects: readonly ListedObject[]): readonly WireValue[] => objects.map(entryOf);

/** Writes what objects have to say before it is asked for, so that an answer only puts it together. */
export class Listings {
  readonly #clock: () => number;
  /** One at a time, so that many who ask do not lengthen a turn of the loop. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param clock in milliseconds */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Whether a listing of them can be put together at once. */
  isReady(objects: readonly ListedObject[]): boolean {
    return objects.every((object) => object.interfaces().isWritten);
  }

  /**
   * @param objects gives those to list when it is this one's turn, because they change in the meantime
   * @throws {WireError} when a bus would not let what one of them says through
   */
  ready(objects: () => readonly ListedObject[]): Promise<void> {
    const turn = this.#last.then(() => this.#write(objects()));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #write(objects: readonly ListedObject[]): Promise<void> {
    let end = this.#clock() + SLICE_MS;
    for (const object of objects) {
      if (object.interfaces().isWritten) continue;
      prepare('a{oa{sa{sv}}}', [entryOf(object)]);
      if (this.#clock() < end) continue;
      await othersFirst();
      end = this.#clock() + SLICE_MS;
    }
  }
}
