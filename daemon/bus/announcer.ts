import type { Logger } from 'pino';

import { BusClosedError, type Bus, type OutgoingSignal } from '../../dbus/connection/types.js';
import { ROOT_PATH } from '../../dbus/names.js';
import { signatureOf } from './contract.js';
import type { BusObject, ObjectTree } from './objects.js';
import { changedProperties, interfacesOf } from './properties.js';
import { OBJECT_MANAGER, PROPERTIES } from './standard-interfaces.js';
import type { Values } from './views.js';

/** Milliseconds that changes of properties are gathered for, because every allocation brings several. */
const GATHERING = 100;

/** Signals sent before other work gets its turn: about a millisecond of it. */
const SLICE = 32;

export interface AnnouncerOptions {
  readonly bus: Bus;
  readonly objects: ObjectTree;
  readonly logger: Logger;
  /** Connections that are told what belongs to somebody. */
  readonly receivers: (owned: NonNullable<BusObject['owned']>) => Iterable<string>;
}

/**
 * Sends the signals about objects, in order, after the replies of the work that they come from. What everybody may see
 * is broadcast; what belongs to somebody goes to its receivers one by one.
 */
export class Announcer {
  readonly #options: AnnouncerOptions;
  #waiting: (() => void)[] = [];
  #soon: NodeJS.Immediate | undefined;
  /** By path, what was last announced of the objects that changed since. */
  readonly #before = new Map<string, () => Values>();
  #later: NodeJS.Timeout | undefined;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  added(object: BusObject): void {
    this.#queue(() => {
      this.#tell(object, {
        path: ROOT_PATH,
        interface: OBJECT_MANAGER.name,
        member: 'InterfacesAdded',
        signature: signatureOf(OBJECT_MANAGER.signals.InterfacesAdded),
        body: [object.path, interfacesOf(object)],
      });
    });
  }

  removed(object: BusObject): void {
    this.#before.delete(object.path);
    this.#queue(() => {
      this.#tell(object, {
        path: ROOT_PATH,
        interface: OBJECT_MANAGER.name,
        member: 'InterfacesRemoved',
        signature: signatureOf(OBJECT_MANAGER.signals.InterfacesRemoved),
        body: [object.path, [object.table.name]],
      });
    });
  }

  /** @param before what the object's properties were until this change */
  changed(path: string, before: () => Values): void {
    if (!this.#before.has(path)) this.#before.set(path, before);
    this.#later ??= setTimeout(() => {
      this.#gathered();
    }, GATHERING);
  }

  /** Says nothing more. */
  close(): void {
    clearTimeout(this.#later);
    clearImmediate(this.#soon);
    this.#waiting = [];
  }

  #gathered(): void {
    this.#later = undefined;
    for (const [path, before] of this.#before)
      this.#queue(() => {
        this.#tellChange(path, before());
      });
    this.#before.clear();
  }

  #tellChange(path: string, before: Values): void {
    const object = this.#options.objects.at(path);
    if (object === undefined) return;
    const changed = changedProperties(object.table, before, object.values());
    if (changed.length === 0) return;
    this.#tell(object, {
      path,
      interface: PROPERTIES.name,
      member: 'PropertiesChanged',
      signature: signatureOf(PROPERTIES.signals.PropertiesChanged),
      body: [object.table.name, changed, []],
    });
  }

  #tell({ owned }: BusObject, signal: OutgoingSignal): void {
    if (owned === undefined) this.#options.bus.emit(signal);
    else
      for (const destination of this.#options.receivers(owned))
        this.#options.bus.emit({ ...signal, destination });
  }

  #queue(send: () => void): void {
    this.#waiting.push(send);
    this.#soon ??= setImmediate(() => {
      this.#sendSlice();
    });
  }

  #sendSlice(): void {
    this.#soon = undefined;
    const slice = this.#waiting.splice(0, SLICE);
    if (this.#waiting.length > 0)
      this.#soon = setImmediate(() => {
        this.#sendSlice();
      });
    for (const send of slice) this.#guarded(send);
  }

  #guarded(send: () => void): void {
    try {
      send();
    } catch (error) {
      // A lost connection is told by Bus.closed, once.
      if (!(error instanceof BusClosedError))
        this.#options.logger.error({ err: error }, 'a signal was not sent');
    }
  }
}
