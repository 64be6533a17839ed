import { EventEmitter } from 'node:events';

import { closeAll } from '../dbus/owned-fd.js';
import { text } from './check.js';
import { DmabrokerError } from './errors.js';
import { isPartyOver, type PartyCalls } from './connection/party-calls.js';
import type { PartyNews } from './connection/party-news.js';
import type {
  CollectionRequest,
  InviteOptions,
  Needs,
  NegotiateOptions,
  PartyExplanation,
  PartyState,
} from './negotiation.js';
import { PartyBuffers } from './party-buffers.js';
import type { DeviceRequest } from './request.js';
import type { PartyFace } from './wire/decode-negotiation.js';
import { encodeCollection, encodeInvite, encodeNeeds } from './wire/encode-negotiation.js';

export interface PartyEvents {
  /** The state is another. */
  changed: [state: PartyState];
  /**
   * New buffers replace those that this party has: `buffers` gives them, unless they do not suit it. Release the earlier ones.
   * Not emitted for the first buffers, nor after this party's own `renew`.
   */
  renewed: [generation: number];
}

/**
 * One connection's part in a negotiation (`Broker.negotiate` or `Broker.join` makes it): several connections, which need not
 * know each other, agree on one set of buffers, and each says only what its own devices need. It ends with `leave`, which
 * `await using` calls, or with the connection. Every method rejects with `DmabrokerError`.
 *
 * @example
 * ```ts
 * import { connect } from 'dmabroker';
 *
 * // Two connections; as a rule, two programs. A token is a string, and travels as strings do.
 * await using producer = await connect();
 * await using consumer = await connect();
 * await using first = await producer.negotiate({ width: 640, height: 480, formats: ['XR24'] });
 * const token = await first.invite({ label: 'viewer' });
 * await first.constrain([[{ device: 'cpu', uses: ['write'], minBuffers: 2 }]]);
 *
 * await using second = await consumer.join(token);
 * await second.constrain([[{ device: 'cpu', uses: ['read'], minBuffers: 1 }]]);
 * await using theirs = await second.buffers();
 * await using ours = await first.buffers();
 * console.log(ours.buffers.length, theirs.buffers.length); // 3 3
 * ```
 */
export class Party extends EventEmitter<PartyEvents> implements AsyncDisposable {
  /** D-Bus object path. */
  readonly path: string;
  readonly #calls: PartyCalls;
  readonly #news: PartyNews;
  #face: PartyFace = { state: 'asked', generation: 0, held: 0 };
  /** Renewals of this party's under way. */
  #renewing = 0;
  #isOver = false;
  /** Ends what waits for the daemon. */
  readonly #waiting = new Set<() => void>();

  constructor(path: string, calls: PartyCalls, news: PartyNews) {
    super();
    this.path = path;
    this.#calls = calls;
    this.#news = news;
    news.add(path, {
      told: (face) => {
        this.#told(face);
      },
      lost: () => {
        this.#end();
      },
    });
  }

  /** As the daemon said last; it says so a little after it changes. */
  get state(): PartyState {
    return this.#face.state;
  }

  /** How often the collection got buffers, as far as this party was told. */
  get generation(): number {
    return this.#face.generation;
  }

  /** Buffers that count: those of this generation, and those of earlier ones that something still holds. */
  get held(): number {
    return this.#face.held;
  }

  /**
   * Makes a token with which another connection joins, once. Without buffers as yet, the collection waits for it, unless it
   * is `late`; afterwards, only `late` tokens can be made.
   * @returns 32 hexadecimal digits: a secret between this party and the one that is invited
   */
  async invite(options: InviteOptions = {}): Promise<string> {
    const [token = ''] = await this.#calls.invite(this.path, encodeInvite(1, options, false));
    return token;
  }

  /**
   * Makes tokens; one of the parties that join with them takes part, the first that fits; with `may`, at most one.
   * @param count how many, from 1
   */
  async inviteOneOf(count: number, options: InviteOptions = {}): Promise<readonly string[]> {
    return this.#calls.invite(this.path, encodeInvite(count, options, true));
  }

  /**
   * Takes a token back, and with it the party that joined with it and all that it invited. Buffers that they have stay
   * theirs.
   * @throws {DmabrokerError} UnknownToken when this party did not make it, or it is over
   */
  async withdraw(token: string): Promise<void> {
    await this.#calls.withdraw(this.path, text(token, 'token'));
  }

  /**
   * Says what this party needs, in the place of what it said before.
   * @param alternatives device lists as of `Broker.allocate`, the preferred first, 1 to 8; one of them counts. An empty list
   * asks for nothing
   * @param needs of the whole set
   */
  async constrain(alternatives: readonly (readonly DeviceRequest[])[], needs: Needs = {}): Promise<void> {
    await this.#calls.constrain(this.path, encodeNeeds(alternatives, needs));
  }

  /**
   * The buffers, as soon as there are some. While other parties have still to say their needs, and while new buffers are
   * agreed on, it waits, at most as long as the negotiation's deadline.
   * @returns buffers that the caller releases; each call returns descriptors of its own
   * @throws {DmabrokerError} why there are none; a `Conflict` has the clashing constraints in `conflict`
   */
  async buffers(): Promise<PartyBuffers> {
    const grant = await this.#orLeft(this.#withReasons(this.#calls.buffers(this.path)), ({ fds }) => {
      closeAll(fds);
    });
    const { generation } = grant;
    this.#know(generation);
    return new PartyBuffers(grant, () => {
      if (this.#isOver || this.state === 'over') return 'lost';
      return this.generation > generation ? 'replaced' : 'held';
    });
  }

  /**
   * Has all parties agree on other buffers: of another size or format, or after needs changed. Only the party that began may
   * do so. Parties keep their needs unless they said otherwise, those that did not fit are considered again, and all are told
   * by `renewed`. If it fails, the earlier buffers stay.
   * @returns the new generation, whose buffers `buffers` gives
   * @throws {DmabrokerError} why there are no other buffers; a `Conflict` has the clashing constraints in `conflict`
   */
  async renew(buffer: CollectionRequest, options: NegotiateOptions = {}): Promise<number> {
    const body = encodeCollection(buffer, options);
    const { generation: before = 0 } = await this.#calls.face(this.path);
    this.#renewing += 1;
    try {
      const generation = await this.#orLeft(this.#withReasons(this.#calls.renew(this.path, body)));
      if (generation <= before) throw await this.#reasonOf();
      this.#know(generation);
      return generation;
    } finally {
      this.#renewing -= 1;
    }
  }

  /**
   * The decision on what was said so far, and its reasons. Until there are buffers, or there is a failure, parties other than
   * the first learn of their own needs only.
   */
  explain(): Promise<PartyExplanation> {
    return this.#calls.explain(this.path);
  }

  /**
   * Ends this party: its needs no longer count, and its unused tokens are gone. Parties that it invited stay, and so do
   * buffers. If the first party leaves before there are buffers, the collection ends. Doing it again does nothing.
   */
  async leave(): Promise<void> {
    if (this.#isOver) return;
    try {
      await this.#calls.leave(this.path);
    } catch (error) {
      if (!isPartyOver(error)) throw error;
    }
    this.#news.delete(this.path);
    for (const end of this.#waiting) end();
    this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }

  #told(face: Partial<PartyFace>): void {
    const before = this.#face;
    this.#face = { ...before, ...face, generation: Math.max(before.generation, face.generation ?? 0) };
    const { state, generation } = this.#face;
    const isRenewed = before.generation > 0 && generation > before.generation && this.#renewing === 0;
    try {
      if (state !== before.state) this.emit('changed', state);
    } finally {
      if (isRenewed) this.emit('renewed', generation);
    }
  }

  /** An answer brought a generation, which a signal tells of later. */
  #know(generation: number): void {
    if (generation > this.#face.generation) this.#face = { ...this.#face, generation };
  }

  #end(): void {
    this.#isOver = true;
    this.#told({ state: 'over', held: 0 });
  }

  /** The same, unless this party leaves meanwhile: what comes after that is dropped. */
  async #orLeft<T>(answer: Promise<T>, drop: (late: T) => void = () => undefined): Promise<T> {
    let end = (): void => undefined;
    const left = new Promise<never>((_, reject) => {
      end = () => {
        reject(new DmabrokerError('Unavailable', 'this party has left'));
        void answer.then(drop).catch(() => undefined);
      };
    });
    this.#waiting.add(end);
    try {
      return await Promise.race([answer, left]);
    } finally {
      this.#waiting.delete(end);
    }
  }

  /** The same, with the constraints of a conflict as data. */
  async #withReasons<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (!(error instanceof DmabrokerError) || error.code !== 'Conflict') throw error;
      const { conflicts } = await this.explain().catch(() => ({ conflicts: [] }));
      throw new DmabrokerError('Conflict', error.message, { cause: error.cause, conflict: conflicts });
    }
  }

  /** Why a renewal failed whose error came before it was asked for. */
  async #reasonOf(): Promise<DmabrokerError> {
    const { conflicts: conflict, limits } = await this.explain();
    const why = [...limits, 'there are no new buffers, and the earlier ones stay'].join('; ');
    return new DmabrokerError(conflict.length > 0 ? 'Conflict' : 'Unavailable', why, { conflict });
  }
}
