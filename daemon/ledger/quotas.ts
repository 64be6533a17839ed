import { quotaRefusal, type QuotaLimit } from './quota.js';
import { payerOf, type Owner } from './ledger-types.js';
import type { Amount, Usage } from './usage.js';

/** Buffers that count against their owner while they are made. Dispose it when they are recorded, or have failed. */
export interface Reservation extends Disposable {
  /**
   * Counts what was really made in the place of what was asked, because a heap rounds up.
   * @returns why that is too much, or undefined; then it counts what it did before
   */
  settle(made: Amount): string | undefined;
}

export type Reserved =
  { readonly ok: true; readonly reservation: Reservation } | { readonly ok: false; readonly refusal: string };

/** Holds requests to policy's quotas, those that run at the same time together. */
export class Quotas {
  readonly #usage: Usage;
  readonly #recheck: (uid: number) => Promise<void>;
  readonly #rechecking = new Map<number, Promise<void>>();

  /** @param recheck looks again whether what a user released or left behind is still held, and ends what is not */
  constructor(usage: Usage, recheck: (uid: number) => Promise<void>) {
    this.#usage = usage;
    this.#recheck = recheck;
  }

  /** Counts what is asked against its owner, or says why it would be too much. */
  async reserve(owner: Owner, asked: Amount, limits: readonly QuotaLimit[]): Promise<Reserved> {
    const atOnce = this.reserveAtOnce(owner, asked, limits);
    if (atOnce !== undefined) return { ok: true, reservation: atOnce };
    await this.#look(payerOf(owner));
    const refusal = this.refusal(owner, asked, limits);
    if (refusal !== undefined) return { ok: false, refusal };
    return { ok: true, reservation: this.#count(owner, asked, limits) };
  }

  /** The same as far as it is known, without a look at what may be gone meanwhile: undefined when that would be too much. */
  reserveAtOnce(owner: Owner, asked: Amount, limits: readonly QuotaLimit[]): Reservation | undefined {
    return this.refusal(owner, asked, limits) === undefined ? this.#count(owner, asked, limits) : undefined;
  }

  /** Why so much more would be too much as far as is known, without a look at what may be gone meanwhile. */
  refusal(owner: Owner, asked: Amount, limits: readonly QuotaLimit[]): string | undefined {
    return quotaRefusal(owner, asked, limits, this.#usage);
  }

  #count(owner: Owner, asked: Amount, limits: readonly QuotaLimit[]): Reservation {
    return new Counted(this.#usage, owner, limits, asked);
  }

  /** A request that comes while a look is under way waits for that one. */
  async #look(uid: number): Promise<void> {
    const running = this.#rechecking.get(uid) ?? this.#recheck(uid);
    this.#rechecking.set(uid, running);
    try {
      await running;
    } finally {
      this.#rechecking.delete(uid);
    }
  }
}

/**
 * What counts against its owner from now on until it is disposed. A class, because a literal with a computed key costs
 * more to make than all else here.
 */
class Counted implements Reservation {
  readonly #usage: Usage;
  readonly #owner: Owner;
  readonly #limits: readonly QuotaLimit[];
  #amount: Amount | undefined;

  constructor(usage: Usage, owner: Owner, limits: readonly QuotaLimit[], asked: Amount) {
    this.#usage = usage;
    this.#owner = owner;
    this.#limits = limits;
    this.#amount = asked;
    usage.add(owner, asked);
  }

  settle(made: Amount): string | undefined {
    if (this.#amount === undefined || isSame(this.#amount, made)) return undefined;
    this.#usage.take(this.#owner, this.#amount);
    const refusal = quotaRefusal(this.#owner, made, this.#limits, this.#usage);
    if (refusal === undefined) this.#amount = made;
    this.#usage.add(this.#owner, this.#amount);
    return refusal;
  }

  [Symbol.dispose](): void {
    if (this.#amount !== undefined) this.#usage.take(this.#owner, this.#amount);
    this.#amount = undefined;
  }
}

const isSame = (one: Amount, other: Amount): boolean =>
  one.bytes === other.bytes && one.buffers === other.buffers;
