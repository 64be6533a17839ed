import { BusClosedError, type Bus, type OutgoingSignal } from '../../dbus/connection/types.js';
import { ROOT_PATH } from '../../dbus/names.js';
import type { Log } from '../messages/log.js';
import { signatureOf } from './contract.js';
import type { BusObject, ObjectTree } from './objects.js';
import { changedProperties, interfacesOf } from './properties.js';
import { OBJECT_MANAGER, PROPERTIES } from './standard-interfaces.js';
import type { Values } from './views.js';

/** Milliseconds that changes of properties are gathered for, because every allocation brings several. */
const GATHERING = 100;

/** Milliseconds before it is told that objects came or went; those that did both meanwhile are not told of. */
const HESITATION = 10;

/** Signals sent before other work gets its turn: about a millisecond of it. */
const SLICE = 16;

interface Telling {
  readonly send: () => void;
  dropped: boolean;
}

export interface AnnouncerOptions {
  readonly bus: Pick<Bus, 'emit'>;
  readonly objects: ObjectTree;
  readonly logger: Pick<Log, 'error'>;
  /** Connections that are told what belongs to somebody. */
  readonly receivers: (owned: NonNullable<BusObject['owned']>) => Iterable<string>;
}

/**
 * Sends the signals about objects, in order, a little after what they tell of: a signal costs as much as a small call,
 * and most allocations that are released at once nobody but their owner ever hears of. What everybody may see is
 * broadcast; what belongs to somebody goes to its receivers one by one.
 */
export class Announcer {
  readonly #options: AnnouncerOptions;
  #waiting: Telling[] = [];
  /** By path, the objects that came and that nobody knows of yet. */
  readonly #untold = new Map<string, Telling>();
  #soon: NodeJS.Timeout | undefined;
  #next: NodeJS.Immediate | undefined;
  /** By path, what was last announced of the objects that changed since. */
  readonly #before = new Map<string, () => Values>();
  #later: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  added(object: BusObject): void {
    const telling = this.#queue(() => {
      this.#untold.delete(object.path);
      this.#tell(object, {
        path: ROOT_PATH,
        interface: OBJECT_MANAGER.name,
        member: 'InterfacesAdded',
        signature: signatureOf(OBJECT_MANAGER.signals.InterfacesAdded),
        body: [object.path, interfacesOf(object)],
      });
    });
    this.#untold.set(object.path, telling);
  }

  removed(object: BusObject): void {
    this.#before.delete(object.path);
    const untold = this.#untold.get(object.path);
    if (untold !== undefined) {
      this.#untold.delete(object.path);
      untold.dropped = true;
      return;
    }
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

  /** Somebody learns now which objects there are, so that the going of each has to be told. */
  listed(): void {
    this.#untold.clear();
  }

  /** @param before what the object's properties were until this change */
  changed(path: string, before: () => Values): void {
    if (this.#closed) return;
    if (!this.#before.has(path)) this.#before.set(path, before);
    this.#later ??= setTimeout(() => {
      this.#gathered();
    }, GATHERING);
  }

  /** Says nothing more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#later);
    clearTimeout(this.#soon);
    clearImmediate(this.#next);
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

  #queue(send: () => void): Telling {
    const telling = { send, dropped: false };
    if (this.#closed) return telling;
    this.#waiting.push(telling);
    this.#soon ??= setTimeout(() => {
      this.#sendSlice();
    }, HESITATION);
    return telling;
  }

  #sendSlice(): void {
    let taken = 0;
    let sent = 0;
    for (const { send, dropped } of this.#waiting) {
      if (sent === SLICE) break;
      taken += 1;
      if (dropped) continue;
      sent += 1;
      this.#guarded(send);
    }
    this.#waiting.splice(0, taken);
    if (this.#waiting.length === 0) this.#soon = undefined;
    else
      this.#next = setImmediate(() => {
        this.#sendSlice();
      });
  }

  #guarded(send: () => void): void {
    try {
      send();
    } catch (error) {
      // A lost connection is told by Bus.closed, once.
      if (!(error instanceof BusClosedError))
        this.#options.logger.error({ event: 'signal-lost', err: error }, 'a signal was not sent');
    }
  }
}
