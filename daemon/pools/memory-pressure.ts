import { KernelError } from '../kernel/errors.js';
import type { PressureCalls } from '../kernel/kernel.js';
import {
  hasPlenty,
  isOver,
  isShort,
  NO_PRESSURE,
  pressed,
  stillWait,
  type Memory,
  type Share,
} from './pressure-state.js';
import type { Clock, Later } from '../base/time.js';
import type { MemoryHeadroom } from './tools.js';

/** Milliseconds from a sign of pressure until it is checked whether half was enough. */
const RECHECK_DELAY_MS = 300;
/** Milliseconds between two looks where the kernel does not tell by itself: while memory moves, and when it does not. */
const POLL_INTERVALS_MS = { moving: 1000, still: 10_000 } as const;
/** Available memory counts as moving when it changes by one part in so many of RAM. */
const MOVED_FRACTION = 100n;

export interface MemoryPressureOptions {
  readonly kernel: PressureCalls;
  readonly later: Later;
  readonly clock: Clock;
  /** Gives back so much of what lies ready. */
  readonly shrink: (share: Share) => void;
}

/** Knows when the machine is short of memory, and has the pools give back what they keep ready. */
export class MemoryPressure implements MemoryHeadroom {
  readonly #options: MemoryPressureOptions;
  #pressure = NO_PRESSURE;
  /** The kernel's word; absent until something lies ready, and where the kernel gives none. */
  #watch: Disposable | undefined;
  #asked = false;
  #again: Disposable | undefined;
  #poll: Disposable | undefined;
  /** Bytes that were available at the last look. */
  #seen = 0n;
  #closed = false;

  constructor(options: MemoryPressureOptions) {
    this.#options = options;
  }

  get mayKeep(): boolean {
    return isOver(this.#pressure, this.#options.clock());
  }

  mayGrow(bytes: bigint): boolean {
    const memory = this.mayKeep ? this.#memory() : undefined;
    return memory !== undefined && hasPlenty(memory, bytes);
  }

  /** Whether anything lies ready. The kernel is asked to tell from the first time on; memory is polled only while it is so. */
  stocked(is: boolean): void {
    if (this.#closed) return;
    if (is && !this.#asked) this.#watch = this.#askKernel();
    this.#asked ||= is;
    if (is && this.#watch === undefined) this.#poll ??= this.#pollIn(POLL_INTERVALS_MS.moving);
    if (is) return;
    this.#poll?.[Symbol.dispose]();
    this.#poll = undefined;
  }

  close(): void {
    this.#closed = true;
    for (const held of [this.#watch, this.#again, this.#poll]) held?.[Symbol.dispose]();
  }

  #askKernel(): Disposable | undefined {
    return attempt(() =>
      this.#options.kernel.watch(() => {
        this.#see();
      }),
    );
  }

  #see(): void {
    const { clock, later, shrink } = this.#options;
    const { pressure, share } = pressed(this.#pressure, clock());
    this.#pressure = pressure;
    shrink(share);
    if (share === 'all' || this.#again !== undefined) return;
    const before = this.#waited();
    this.#again = later(RECHECK_DELAY_MS, () => {
      this.#again = undefined;
      const memory = this.#memory();
      const isStillShort = memory !== undefined && isShort(memory);
      if (isStillShort || stillWait(this.#waited() - before, RECHECK_DELAY_MS)) this.#see();
    });
  }

  #pollIn(pause: number): Disposable {
    return this.#options.later(pause, () => {
      const memory = this.#memory();
      const moved =
        memory !== undefined && distance(memory.available, this.#seen) * MOVED_FRACTION >= memory.total;
      this.#poll = this.#pollIn(
        moved ? POLL_INTERVALS_MS.moving : Math.min(2 * pause, POLL_INTERVALS_MS.still),
      );
      if (memory === undefined) return;
      this.#seen = memory.available;
      // This may end the polling.
      if (isShort(memory)) this.#see();
    });
  }

  /** Undefined when it cannot be told: then nothing more is kept, and nothing given up. */
  #memory(): Memory | undefined {
    return attempt(() => this.#options.kernel.memory());
  }

  #waited(): number {
    return attempt(() => this.#options.kernel.waited()) ?? 0;
  }
}

const distance = (a: bigint, b: bigint): bigint => (a > b ? a - b : b - a);

/** Undefined where the kernel does not say. */
function attempt<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof KernelError) return undefined;
    throw error;
  }
}
