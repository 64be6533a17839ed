import { BusClosedError, type Bus, type OutgoingSignal } from '../../dbus/connection/bus-types.js';
import { ROOT_PATH } from '../../dbus/names.js';
import type { Log } from '../base/log.js';
import { signatureOf } from './contract.js';
import type { BusObject, ListedObject, ObjectTree } from './objects.js';
import { changedProperties } from './properties.js';
import { OBJECT_MANAGER, PROPERTIES } from './standard-interfaces.js';
import type { Values } from './views.js';

/** Milliseconds that changes of properties are gathered for, because every allocation brings several. */
const PROPERTY_DELAY_MS = 100;

/** Milliseconds before added and removed objects are announced; one that came and went meanwhile is not announced. */
const OBJECT_DELAY_MS = 10;

/** Signals sent before other work gets its turn: about a millisecond of it. */
const SIGNALS_PER_TURN = 16;

interface QueuedSignal {
  readonly send: () => void;
  dropped: boolean;
}

export interface SignalEmitterOptions {
  readonly bus: Pick<Bus, 'emit'>;
  readonly objects: ObjectTree;
  readonly logger: Pick<Log, 'error'>;
  /** Connections that are told about objects with an owner. */
  readonly receivers: (owned: NonNullable<BusObject['owned']>) => Iterable<string>;
}

/**
 * Sends the signals about objects, in order, a little after what they tell of: a signal costs as much as a small call,
 * and most allocations that are released at once are announced to their owner only. What every user may see is
 * broadcast; what has an owner goes to its receivers one by one.
 */
export class SignalEmitter {
  readonly #options: SignalEmitterOptions;
  #waiting: QueuedSignal[] = [];
  /** By path, the objects that came and are not announced yet. */
  readonly #undelivered = new Map<string, QueuedSignal>();
  #soon: NodeJS.Timeout | undefined;
  #next: NodeJS.Immediate | undefined;
  /** By path, what was last announced of the objects that changed since. */
  readonly #before = new Map<string, () => Values>();
  /** The same, of parties. */
  readonly #beforeSoon = new Map<string, () => Values>();
  #later: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SignalEmitterOptions) {
    this.#options = options;
  }

  added(object: ListedObject): void {
    const queued = this.#queue(() => {
      this.#undelivered.delete(object.path);
      this.#emit(object, {
        path: ROOT_PATH,
        interface: OBJECT_MANAGER.name,
        member: 'InterfacesAdded',
        signature: signatureOf(OBJECT_MANAGER.signals.InterfacesAdded),
        body: [object.path, object.interfaces()],
      });
    });
    this.#undelivered.set(object.path, queued);
  }

  removed(object: BusObject): void {
    this.#before.delete(object.path);
    this.#beforeSoon.delete(object.path);
    const undelivered = this.#undelivered.get(object.path);
    if (undelivered !== undefined) {
      this.#undelivered.delete(object.path);
      undelivered.dropped = true;
      return;
    }
    this.#queue(() => {
      this.#emit(object, {
        path: ROOT_PATH,
        interface: OBJECT_MANAGER.name,
        member: 'InterfacesRemoved',
        signature: signatureOf(OBJECT_MANAGER.signals.InterfacesRemoved),
        body: [object.path, [object.table.name]],
      });
    });
  }

  /** A connection learns now which objects there are, so the end of each has to be announced to it. */
  listed(): void {
    this.#undelivered.clear();
  }

  /** @param before what the object's properties were until this change */
  changed(path: string, before: () => Values): void {
    if (this.#closed) return;
    // A program that waits for other buffers must not wait for what other objects gather.
    if (this.#options.objects.at(path)?.owned?.isPrivate === true) {
      this.#changedSoon(path, before);
      return;
    }
    if (!this.#before.has(path)) this.#before.set(path, before);
    this.#later ??= setTimeout(() => {
      this.#emitChanges();
    }, PROPERTY_DELAY_MS);
  }

  /** Says nothing more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#later);
    clearTimeout(this.#soon);
    clearImmediate(this.#next);
    this.#waiting = [];
  }

  #changedSoon(path: string, before: () => Values): void {
    if (this.#beforeSoon.has(path)) return;
    this.#beforeSoon.set(path, before);
    this.#queue(() => {
      const first = this.#beforeSoon.get(path);
      this.#beforeSoon.delete(path);
      if (first !== undefined) this.#emitChange(path, first());
    });
  }

  #emitChanges(): void {
    this.#later = undefined;
    for (const [path, before] of this.#before)
      this.#queue(() => {
        this.#emitChange(path, before());
      });
    this.#before.clear();
  }

  #emitChange(path: string, before: Values): void {
    const object = this.#options.objects.at(path);
    if (object === undefined) return;
    const changed = changedProperties(object.table, before, object.values());
    if (changed.length === 0) return;
    this.#emit(object, {
      path,
      interface: PROPERTIES.name,
      member: 'PropertiesChanged',
      signature: signatureOf(PROPERTIES.signals.PropertiesChanged),
      body: [object.table.name, changed, []],
    });
  }

  #emit({ owned }: BusObject, signal: OutgoingSignal): void {
    if (owned === undefined) this.#options.bus.emit(signal);
    else
      for (const destination of this.#options.receivers(owned))
        this.#options.bus.emit({ ...signal, destination });
  }

  #queue(send: () => void): QueuedSignal {
    const queued = { send, dropped: false };
    if (this.#closed) return queued;
    this.#waiting.push(queued);
    this.#soon ??= setTimeout(() => {
      this.#sendSlice();
    }, OBJECT_DELAY_MS);
    return queued;
  }

  #sendSlice(): void {
    let taken = 0;
    let sent = 0;
    for (const { send, dropped } of this.#waiting) {
      if (sent === SIGNALS_PER_TURN) break;
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
