import { setImmediate as othersFirst } from 'node:timers/promises';

import type { PoolBuffer } from '../pools/pool.js';
import type { Clock, Later } from '../base/time.js';
import type { Allocation } from './allocation.js';
import { Poller } from './poller.js';

/** A buffer that its owner is done with. */
export interface Orphan {
  readonly allocation: Allocation;
  readonly buffer: PoolBuffer;
}

export interface OrphansOptions {
  /** Whether anything but the daemon still has the buffer; undefined when that cannot be told. */
  readonly inUse: (buffer: PoolBuffer) => boolean | undefined;
  readonly later: Later;
  readonly clock: Clock;
  /** What a slice of work saw: these are free, those are still held. */
  readonly saw: (gone: readonly Orphan[], staying: readonly Orphan[]) => void;
}

/** Milliseconds that one slice may take, of the two that nothing blocks the event loop for. */
const SLICE_MS = 1;
/**
 * Milliseconds that it takes to read a dma-buf's references (20 µs on Debian's Linux 6.12 for x86-64, emulated by QEMU),
 * and to end a buffer.
 */
const CHECK_COST_MS = 0.02;
const FREE_COST_MS = 0.005;
/** Milliseconds that it takes to open a card and to ask for an object. */
const ASK_COST_MS = 0.1;
/** Milliseconds between two slices, so that requests get most of the time even with thousands of orphans. */
const SLICE_PAUSE_MS = 5;
/** Milliseconds before the first rounds, and all later ones: soon after an owner left, then less and less often. */
const FIRST_ROUND_DELAYS_MS = [20, 250, 500] as const;
const LATER_ROUND_DELAY_MS = 1000;
/** Milliseconds after which a buffer that is still held is no longer looked at with those that were just left. */
const RECENT_MS = 3000;
/** Among those that were held for long, a slice is followed by a pause of so many times its length. */
const REST_FACTOR = 200;

/** When its owner left it: milliseconds of the clock. */
interface Watched {
  readonly orphan: Orphan;
  readonly since: number;
  /** Its descriptor is closed, and its memory is followed. */
  isFollowed?: true;
}

/** What a look at a buffer shows: something has it, it is over, or it ends here and its memory may live on. */
type Finding = 'held' | 'gone' | 'outlives';

/**
 * Waits until nothing holds what was released. The kernel does not report when a reference goes, so it looks again and
 * again, but only while there is something to look at: often at what was just left, and at what is kept for long as seldom
 * as it takes to use half a percent of a processor at most.
 */
export class Orphans {
  readonly #options: OrphansOptions;
  readonly #recent: Poller<Watched>;
  readonly #kept: Poller<Watched>;
  /** Those whose descriptors are being closed. */
  readonly #closing = new Map<Watched, Promise<void>>();
  /** Milliseconds that the last slice took. */
  #spent = SLICE_MS;
  #isClosed = false;

  constructor(options: OrphansOptions) {
    this.#options = options;
    const common = {
      later: options.later,
      look: (round: Watched[]): void => {
        this.#look(round);
      },
    };
    this.#recent = new Poller({
      ...common,
      slicePauseMs: () => SLICE_PAUSE_MS,
      between: (rounds) => FIRST_ROUND_DELAYS_MS[rounds] ?? LATER_ROUND_DELAY_MS,
    });
    const rest = (): number => Math.max(this.#spent, SLICE_MS) * REST_FACTOR;
    this.#kept = new Poller({
      ...common,
      slicePauseMs: rest,
      between: () => Math.max(LATER_ROUND_DELAY_MS, rest()),
    });
  }

  /** Ends what has no holder, at once as far as one slice goes, and watches the rest. */
  add(orphans: readonly Orphan[]): void {
    const since = this.#options.clock();
    const left = orphans.map((orphan) => ({ orphan, since })).reverse();
    this.#recent.begin();
    this.#look(left);
    this.#recent.add(left);
  }

  /** Looks now at all that matches, in slices between which others run. */
  async recheck(belongs: (orphan: Orphan) => boolean): Promise<void> {
    for (;;) {
      const wanted = [this.#recent, this.#kept].flatMap((rounds) =>
        rounds.remove(({ orphan }) => belongs(orphan)),
      );
      while (wanted.length > 0) {
        this.#look(wanted);
        if (wanted.length > 0) await othersFirst();
      }
      const closing = [...this.#closing].filter(([{ orphan }]) => belongs(orphan));
      if (closing.length === 0) return;
      await Promise.all(closing.map(([, closed]) => closed));
    }
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    this.#recent.close();
    this.#kept.close();
  }

  /** Looks at one slice's worth, from the end, and takes it away. */
  #look(watched: Watched[]): void {
    const { clock, saw } = this.#options;
    const start = clock();
    const gone: Orphan[] = [];
    const staying: Orphan[] = [];
    for (let spent = 0; Math.max(spent, clock() - start) < SLICE_MS;) {
      const one = watched.pop();
      if (one === undefined) break;
      const { orphan, since } = one;
      spent += this.#costOf(one);
      const finding = this.#examine(one);
      if (finding === 'gone') gone.push(orphan);
      else if (finding === 'outlives') this.#follow(one);
      else {
        staying.push(orphan);
        (start - since < RECENT_MS ? this.#recent : this.#kept).again(one);
      }
    }
    saw(gone, staying);
    this.#spent = clock() - start;
  }

  #costOf({ orphan: { buffer }, isFollowed }: Watched): number {
    if (isFollowed) return ASK_COST_MS;
    return FREE_COST_MS + (buffer.pool.countsReferences ? CHECK_COST_MS : 0);
  }

  #examine({ orphan: { allocation, buffer }, isFollowed }: Watched): Finding {
    const { pool } = buffer;
    // What cannot be told counts against the user for as long as its connection lives; memory that outlives its descriptor
    // counts against the pool until its end is proved.
    const isHeld = (isFollowed ? pool.held(buffer) : this.#options.inUse(buffer)) ?? !allocation.ownerLeft;
    if (isHeld) return 'held';
    return isFollowed || !pool.outlives ? 'gone' : 'outlives';
  }

  #follow(one: Watched): void {
    const { buffer } = one.orphan;
    const closed = buffer.pool.follow(buffer).then(() => {
      this.#closing.delete(one);
      one.isFollowed = true;
      if (!this.#isClosed) this.#recent.add([one]);
    });
    this.#closing.set(one, closed);
  }
}
