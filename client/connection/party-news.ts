import type { IncomingSignal } from '../../dbus/connection/bus-types.js';
import { BUS_NAME, PARTY_INTERFACE, ROOT_PATH } from '../../dbus/names.js';
import { DmabrokerError, failureOf } from '../errors.js';
import { decodePartyFace, type PartyFace } from '../wire/decode-negotiation.js';
import { asList, asString, Fields } from '../wire/fields.js';
import type { DaemonConnection } from './daemon-connection.js';
import { isPartyUnknown, type PartyCalls } from './party-calls.js';

/** The daemon sends the signals of a party to its connection alone, whether that has a rule or not. */
const RULE = `type='signal',sender='${BUS_NAME}',path_namespace='${ROOT_PATH}/party'`;

/** Parties whose news are kept before their paths are known: as many as a connection may have. */
const MAX_EARLY = 64;

/** What is told of a party. */
export interface PartyListener {
  /** The values that changed. */
  readonly told: (face: Partial<PartyFace>) => void;
  /** The daemon does not have it any more, or the connection has ended. */
  readonly lost: () => void;
}

/** Hands the news of each party of this connection to its listener, also across a restart of the daemon. */
export class PartyNews {
  readonly #connection: DaemonConnection;
  readonly #calls: Pick<PartyCalls, 'face'>;
  readonly #listeners = new Map<string, PartyListener>();
  #listening: Promise<void> | undefined;
  /** What was said of parties that nothing here knows yet; the answer with the path is still on its way to the program. */
  readonly #early = new Map<string, Partial<PartyFace>>();
  #beginning = 0;

  constructor(connection: DaemonConnection, calls: Pick<PartyCalls, 'face'>) {
    this.#connection = connection;
    this.#calls = calls;
    connection.onOwner((owner) => {
      if (owner !== undefined) for (const path of this.#listeners.keys()) void this.#askAgain(path);
    });
    void connection.bus.closed.then(() => {
      for (const path of [...this.#listeners.keys()]) this.#lose(path);
    });
  }

  /** Has to be done before the first party begins. @throws {DmabrokerError} */
  async open(): Promise<void> {
    this.#listening ??= this.#listen();
    try {
      await this.#listening;
    } catch (error) {
      this.#listening = undefined;
      throw failureOf(error);
    }
  }

  /** Begins a party, and adds it: what the daemon says of it before is kept for it. */
  async during<T>(begin: () => Promise<T>): Promise<T> {
    this.#beginning += 1;
    try {
      return await begin();
    } finally {
      this.#beginning -= 1;
      if (this.#beginning === 0) this.#early.clear();
    }
  }

  add(path: string, listener: PartyListener): void {
    this.#listeners.set(path, listener);
    const early = this.#early.get(path);
    this.#early.delete(path);
    if (early !== undefined) listener.told(early);
  }

  delete(path: string): void {
    this.#listeners.delete(path);
  }

  async #listen(): Promise<void> {
    await this.#connection.bus.listen(
      RULE,
      ({ sender }) => sender === this.#connection.owner,
      (signal) => {
        try {
          this.#receive(signal);
        } catch (error) {
          // What cannot be read comes from a newer daemon, and is left out.
          if (!(error instanceof DmabrokerError)) throw error;
        }
      },
    );
  }

  #receive({ path, member, signature, body }: IncomingSignal): void {
    const [first, second] = body;
    if (member === 'PropertiesChanged' && signature === 'sa{sv}as' && first === PARTY_INTERFACE)
      this.#tell(path, decodePartyFace(new Fields(second, path)));
    else if (member === 'InterfacesAdded' && signature === 'oa{sa{sv}}') {
      const added = asString(first, path);
      for (const entry of asList(second, added)) {
        const [name, properties] = asList(entry, added);
        if (name === PARTY_INTERFACE) this.#tell(added, decodePartyFace(new Fields(properties, added)));
      }
    }
  }

  #tell(path: string, face: Partial<PartyFace>): void {
    const listener = this.#listeners.get(path);
    if (listener !== undefined) {
      guarded(() => {
        listener.told(face);
      });
    } else if (this.#beginning > 0 && (this.#early.has(path) || this.#early.size < MAX_EARLY)) {
      this.#early.set(path, { ...this.#early.get(path), ...face });
    }
  }

  /** Another daemon may have the party, or not. */
  async #askAgain(path: string): Promise<void> {
    try {
      this.#tell(path, await this.#calls.face(path));
    } catch (error) {
      // A daemon that cannot say is followed by another or by the end of the connection.
      if (isPartyUnknown(error)) this.#lose(path);
    }
  }

  #lose(path: string): void {
    const listener = this.#listeners.get(path);
    this.#listeners.delete(path);
    if (listener !== undefined) guarded(listener.lost);
  }
}

/** What a listener of the program throws is the program's, and keeps no other party from its news. */
function guarded(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
