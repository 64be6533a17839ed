import assert from 'node:assert/strict';

import { DmabrokerError, type Allocation, type Broker, type DmaBuffer } from '../../client/index.js';
import type { Book } from './book.js';

const CPU = [{ device: 'cpu', uses: ['read', 'write'] }] as const;
/** Bytes: of one page, of a frame that is not whole pages, and of more than one. */
const SIZES = [4096, 100_000, 262_144, 1_048_576] as const;
const MOST_BUFFERS = 3;
/** Allocations that one client keeps at most. */
const MOST = 6;
const DIRT = 0xa5;
const CLEAN = Buffer.alloc(Math.max(...SIZES));

/** What the loss of the daemon makes of a call that was under way. */
const INTERRUPTED = new Set<string>(['DaemonLeft', 'NoDaemon', 'Unavailable']);

export interface KillClientOptions {
  readonly broker: Broker;
  readonly book: Book;
  readonly random: () => number;
  /** Whether it asks for more buffers of an allocation, too. */
  readonly extend: boolean;
}

/** Somebody who allocates, writes and releases without a pause, and knows what it has. */
export class KillClient {
  readonly #broker: Broker;
  readonly #book: Book;
  readonly #random: () => number;
  readonly #extends: boolean;
  readonly #held = new Set<Allocation>();
  #paused = false;
  #running: Promise<void> = Promise.resolve();
  /** Allocations that a daemon did not know any more. */
  lost = 0;
  requests = 0;
  interrupted = 0;

  constructor({ broker, book, random, extend }: KillClientOptions) {
    this.#broker = broker;
    this.#book = book;
    this.#random = random;
    this.#extends = extend;
    broker.on('lost', (allocation) => {
      this.lost += 1;
      this.#held.delete(allocation);
      this.#book.remove(allocation);
      void allocation.release();
    });
  }

  /** What it holds: buffers by the path of their allocation. */
  get held(): ReadonlyMap<string, number> {
    return new Map([...this.#held].map(({ path, buffers }) => [path, buffers.length]));
  }

  run(): void {
    this.#paused = false;
    this.#running = this.#loop();
  }

  /** Returns when nothing is under way; throws what went wrong meanwhile. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#running;
  }

  async releaseAll(): Promise<void> {
    for (const allocation of this.#held) await this.#release(allocation);
  }

  async close(): Promise<void> {
    await this.#broker.close();
  }

  async #loop(): Promise<void> {
    while (!this.#paused) {
      const [some] = [...this.#held].toSorted(() => this.#random() - 0.5);
      const dice = this.#random();
      this.requests += 1;
      if (some === undefined || (dice < 0.5 && this.#held.size < MOST)) await this.#allocate();
      else if (dice < 0.6 && this.#extends) await this.#extend(some);
      else await this.#release(some);
    }
  }

  async #allocate(): Promise<void> {
    const size = SIZES[Math.floor(this.#random() * SIZES.length)] ?? SIZES[0];
    const count = 1 + Math.floor(this.#random() * MOST_BUFFERS);
    const allocation = await this.#attempt(() => this.#broker.allocate(CPU, { size, count }));
    if (allocation === undefined) return;
    this.#held.add(allocation);
    this.#book.add(allocation, allocation.buffers);
    for (const buffer of allocation.buffers) await useBuffer(buffer);
  }

  async #extend(allocation: Allocation): Promise<void> {
    const added = await this.#attempt(() => allocation.extend(1));
    if (added === undefined) return;
    this.#book.add(allocation, added);
    for (const buffer of added) await useBuffer(buffer);
  }

  async #release(allocation: Allocation): Promise<void> {
    if (!this.#held.delete(allocation)) return;
    this.#book.remove(allocation);
    // Told again until a daemon knows of it: one that died may not have taken it down.
    while ((await this.#attempt(() => released(allocation))) === undefined);
  }

  /** @returns undefined when the daemon went away meanwhile */
  async #attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof DmabrokerError)) throw error;
      if (!INTERRUPTED.has(error.code)) throw error;
      this.interrupted += 1;
      return undefined;
    }
  }
}

/** One that an earlier call ended, of which no answer came, is not there any more. */
async function released(allocation: Allocation): Promise<'released'> {
  try {
    await allocation.release();
  } catch (error) {
    if (!(error instanceof DmabrokerError) || error.code !== 'UnknownAllocation') throw error;
  }
  return 'released';
}

/** Finds it clean, and leaves it dirty. @throws {AssertionError} when somebody's bytes are in it */
async function useBuffer(buffer: DmaBuffer): Promise<void> {
  await buffer.map({ read: true, write: true }, (bytes) => {
    assert(CLEAN.subarray(0, bytes.length).equals(bytes), 'a buffer has old contents');
    bytes.fill(DIRT);
  });
}
