import { payerOf, type Owner } from './ledger-types.js';

/** What a user, a client or a unit holds. */
export interface Amount {
  /** Bytes of memory behind the buffers. */
  readonly bytes: bigint;
  readonly buffers: number;
}

/** Who is counted: a user, one connection to the bus, one systemd unit of a user. */
export const SUBJECTS = ['user', 'client', 'unit'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** One client's part of what its user holds. */
export interface Holder extends Amount {
  /** Unique name on the bus. */
  readonly name: string;
  readonly unit: string;
}

export const NOTHING: Amount = { bytes: 0n, buffers: 0 };

/** Sums of what lives and of what is being made, by whom it counts against. A look costs the same however much there is. */
export class Usage {
  readonly #amounts = new Map<string, Amount>();
  readonly #clients = new Map<number, Map<string, Holder>>();
  readonly #keys = new WeakMap<Owner, Keys>();

  /** What counts against the subject that the owner belongs to. Nothing counts against a unit that is not known. */
  of(subject: Subject, owner: Owner): Amount {
    const key = this.#keysOf(owner)[subject];
    return (key === undefined ? undefined : this.#amounts.get(key)) ?? NOTHING;
  }

  add(owner: Owner, amount: Amount): void {
    this.#change(owner, amount, 1);
  }

  take(owner: Owner, amount: Amount): void {
    this.#change(owner, amount, -1);
  }

  /** The clients among which a user's holdings are divided, the largest first. */
  holders(uid: number): readonly Holder[] {
    return [...(this.#clients.get(uid)?.values() ?? [])].sort((a, b) => Number(b.bytes - a.bytes));
  }

  #change(owner: Owner, amount: Amount, sign: 1 | -1): void {
    const keys = this.#keysOf(owner);
    for (const subject of SUBJECTS) {
      const key = keys[subject];
      if (key === undefined) continue;
      const sum = plus(this.#amounts.get(key) ?? NOTHING, amount, sign);
      if (isNothing(sum)) this.#amounts.delete(key);
      else this.#amounts.set(key, sum);
    }
    this.#changeHolder(owner, amount, sign);
  }

  /** A connection asks often, and is always the same owner. */
  #keysOf(owner: Owner): Keys {
    const known = this.#keys.get(owner);
    if (known !== undefined) return known;
    const { bus, name, unit } = owner;
    const uid = payerOf(owner);
    const keys = {
      user: `user ${uid}`,
      client: `client ${bus} ${name}`,
      unit: unit === '' ? undefined : `unit ${uid} ${unit}`,
    };
    this.#keys.set(owner, keys);
    return keys;
  }

  #changeHolder(owner: Owner, amount: Amount, sign: 1 | -1): void {
    const { bus, name, unit } = owner;
    const uid = payerOf(owner);
    const clients = this.#clients.get(uid) ?? new Map<string, Holder>();
    const key = `${bus} ${name}`;
    const sum = plus(clients.get(key) ?? NOTHING, amount, sign);
    if (isNothing(sum)) clients.delete(key);
    else clients.set(key, { name, unit, ...sum });
    if (clients.size === 0) this.#clients.delete(uid);
    else this.#clients.set(uid, clients);
  }
}

/** Under what is summed up; a unit that is not known has no key. */
type Keys = Readonly<Record<Subject, string | undefined>>;

const plus = (sum: Amount, { bytes, buffers }: Amount, sign: 1 | -1): Amount =>
  sign === 1
    ? { bytes: sum.bytes + bytes, buffers: sum.buffers + buffers }
    : { bytes: sum.bytes - bytes, buffers: sum.buffers - buffers };

const isNothing = ({ bytes, buffers }: Amount): boolean => bytes === 0n && buffers === 0;
