import { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';

import type { IncomingSignal } from '../dbus/connection/bus-types.js';
import { BUS_NAME, ROOT_PATH } from '../dbus/names.js';
import { DmabrokerError, failureOf } from './errors.js';
import type { DaemonConnection } from './connection/daemon-connection.js';
import { readRoot, readTree } from './connection/tree.js';
import type { BrokerObject } from './model.js';
import { asString, Fields } from './wire/fields.js';
import { decodeObject, facesOf, type Face } from './wire/objects.js';

/** What a `Watch` tells. When the daemon leaves, everything is removed; when it is back, everything is added. */
export interface WatchEvents {
  added: [object: BrokerObject];
  changed: [object: BrokerObject, before: BrokerObject];
  removed: [object: BrokerObject];
}

const RULE = `type='signal',sender='${BUS_NAME}',path_namespace='${ROOT_PATH}'`;

/**
 * What the broker shows on the bus, kept up to date: itself, devices, pools, and the allocations that we may see. It ends
 * with `close`, which `await using` calls, or when the connection is closed; nothing is told after that.
 *
 * @example
 * ```ts
 * import { connect } from 'dmabroker';
 *
 * await using broker = await connect();
 * await using watch = await broker.watch();
 * for (const object of watch.objects.values()) if (object.kind === 'device') console.log(object.node);
 * watch.on('added', (object) => {
 *   if (object.kind === 'device') console.log(`${object.node} was plugged in`);
 * });
 * ```
 */
export class Watch extends EventEmitter<WatchEvents> implements AsyncDisposable {
  readonly #connection: DaemonConnection;
  readonly #faces = new Map<string, Face>();
  readonly #objects = new Map<string, BrokerObject>();
  #subscriptions: readonly (AsyncDisposable | Disposable)[] = [];
  /** Signals that wait until the tree has been read; undefined once it has. */
  #early: IncomingSignal[] | undefined = [];

  private constructor(connection: DaemonConnection) {
    super();
    this.#connection = connection;
  }

  /** @throws {DmabrokerError} */
  static async open(connection: DaemonConnection): Promise<Watch> {
    const watch = new Watch(connection);
    try {
      watch.#subscriptions = [connection.onOwner((owner) => void watch.#follow(owner))];
      watch.#subscriptions = [
        ...watch.#subscriptions,
        await connection.bus.listen(
          RULE,
          ({ sender, path }) =>
            sender === connection.owner && (path === ROOT_PATH || path.startsWith(`${ROOT_PATH}/`)),
          (signal) => {
            watch.#receive(signal);
          },
        ),
      ];
      await watch.#read();
      return watch;
    } catch (error) {
      await watch.close().catch(() => undefined);
      throw failureOf(error);
    }
  }

  /** Everything there is now, by object path. */
  get objects(): ReadonlyMap<string, BrokerObject> {
    return this.#objects;
  }

  /** Another daemon took over, or none is there. */
  async #follow(owner: string | undefined): Promise<void> {
    // A program that closes its own connection needs no events about it.
    if (this.#connection.closedByUs) return;
    for (const path of [...this.#objects.keys()]) this.#remove(path);
    this.#early = [];
    // A daemon that cannot say is followed by another or by the end of the connection.
    if (owner !== undefined) await this.#read().catch(() => undefined);
  }

  /**
   * Reads the tree. Signals that arrived meanwhile are applied after it: their values are as new as the tree's, or newer
   * in the end.
   */
  async #read(): Promise<void> {
    const early = this.#early;
    const faces = [await readRoot(this.#connection), ...(await readTree(this.#connection))];
    if (early !== this.#early) return;
    for (const face of faces) this.#put(face);
    this.#early = undefined;
    for (const signal of early ?? []) this.#receive(signal);
  }

  #receive(signal: IncomingSignal): void {
    if (this.#early !== undefined) {
      this.#early.push(signal);
      return;
    }
    try {
      this.#apply(signal);
    } catch (error) {
      // What cannot be read comes from a newer daemon, and is left out.
      if (!(error instanceof DmabrokerError)) throw error;
    }
  }

  #apply({ path, member, signature, body }: IncomingSignal): void {
    const [first, second] = body;
    if (member === 'InterfacesAdded' && signature === 'oa{sa{sv}}') {
      for (const face of facesOf(asString(first, path), second)) this.#put(face);
    } else if (member === 'InterfacesRemoved' && signature === 'oas') {
      this.#remove(asString(first, path));
    } else if (member === 'PropertiesChanged' && signature === 'sa{sv}as') {
      const face = this.#faces.get(path);
      if (face === undefined || face.interface !== first) return;
      this.#put({ ...face, fields: face.fields.overlaid(new Fields(second, path)) });
    }
  }

  #put(face: Face): void {
    const object = decodeObject(face);
    const before = this.#objects.get(face.path);
    this.#faces.set(face.path, face);
    this.#objects.set(face.path, object);
    if (before === undefined) this.emit('added', object);
    else if (!isDeepStrictEqual(object, before)) this.emit('changed', object, before);
  }

  #remove(path: string): void {
    const object = this.#objects.get(path);
    this.#faces.delete(path);
    this.#objects.delete(path);
    if (object !== undefined) this.emit('removed', object);
  }

  /** Ends the watch: no event comes after this, and `objects` stays as it is. Doing it again does nothing. @throws {DmabrokerError} */
  async close(): Promise<void> {
    this.removeAllListeners();
    const subscriptions = this.#subscriptions;
    this.#subscriptions = [];
    // What is being read comes too late.
    this.#early = [];
    try {
      for (const subscription of subscriptions) {
        if (Symbol.asyncDispose in subscription) await subscription[Symbol.asyncDispose]();
        else subscription[Symbol.dispose]();
      }
    } catch (error) {
      throw failureOf(error);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
