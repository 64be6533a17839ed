import { fileURLToPath } from 'node:url';

import type { BufferRequest, DeviceRequest } from '../../../client/index.js';
import { Talk } from './talk.js';
import { USERS, type User } from './users.js';
import type { Way } from './ways.js';

/** Bytes of each buffer: 128 × 128 pixels of four bytes. */
export const SIZE = 65_536;

/** Buffers that one reply carries (`MaxFdsPerReply`), and all that lie ready. */
export const AT_ONCE = 16;
/** Bytes that the attacker may have; for more, the daemon first looks again at what it released. */
export const ATTACKER_BYTES = (AT_ONCE - 1) * SIZE;

/** What attacker and victim both ask the broker for. */
export interface Wanted {
  readonly bus: string;
  readonly devices: readonly DeviceRequest[];
  readonly buffer: BufferRequest;
}

/** Takes a buffer, keeps hold of it, and releases it. */
export interface Keep {
  readonly keep: Way;
}
/** Tries the ways in turn, the last of them at the same time, until `stop`. */
export interface Rotate {
  readonly rotate: readonly Way[];
}
/**
 * `peek` at all that is kept, `poke` it, `drop` it, or `leave` the bus and come again; have the daemon
 * `recheck` what is held; tell how many `attempts` it made
 * while it rotates, or `stop`.
 */
export type AttackOrder =
  Keep | Rotate | 'peek' | 'poke' | 'drop' | 'leave' | 'recheck' | 'attempts' | 'stop';

/** Of `stop`. */
export interface Rotated {
  /** How often a buffer was kept or not, by way. */
  readonly tried: Readonly<Record<string, number>>;
  /** Ways that showed a secret. */
  readonly seen: readonly string[];
}

/** Takes so many buffers and writes secrets into them, checks that they are there, or releases them. */
export type VictimOrder = { readonly take: number } | { readonly rounds: number } | 'check' | 'release';

/** What the victim met. */
export interface Harm {
  /** Buffers that were not all zeroes when they came. */
  readonly dirty: number;
  /** Buffers in which the secret was not what the victim wrote. */
  readonly overwritten: number;
}

export const NO_HARM: Harm = { dirty: 0, overwritten: 0 };

/** What the victim writes, again and again. */
export const secretOf = (round: number): string => `SECRET-OF-VICTIM-${String(round)} `;
/** What every secret has in it, within the bytes that the attacker is shown of a place; in hex. */
const TELL = Buffer.from('SECRET-OF-VICTIM-').toString('hex');
export const showsSecret = (peeked: string): boolean => peeked.includes(TELL);

/** What each program is told. */
export interface Orders {
  readonly attacker: AttackOrder;
  readonly victim: VictimOrder;
}

/** A program of one of the two users, with a connection of its own. */
export class Role<U extends User> implements AsyncDisposable {
  readonly #talk: Talk;

  private constructor(user: U, wanted: Wanted) {
    const file = fileURLToPath(new URL(`${user}-program.js`, import.meta.url));
    const person = { uid: USERS[user], gid: USERS[user] };
    this.#talk = new Talk(process.execPath, [file, JSON.stringify(wanted)], { person });
  }

  static async start<U extends User>(user: U, wanted: Wanted): Promise<Role<U>> {
    const role = new Role(user, wanted);
    await role.#talk.read();
    return role;
  }

  /** @returns the value that it answered */
  async order(order: Orders[U]): Promise<unknown> {
    return JSON.parse(await this.#talk.ask(JSON.stringify(order)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#talk.end();
  }
}

/** Has a program obey orders, one after the other, and begins with a line that says that it is ready. */
export async function obey(
  lines: AsyncIterable<string>,
  carryOut: (order: string) => Promise<unknown>,
): Promise<void> {
  process.stdout.write('ready\n');
  for await (const line of lines) process.stdout.write(`${JSON.stringify((await carryOut(line)) ?? null)}\n`);
}
