import { setImmediate as othersFirst } from 'node:timers/promises';

import type { PoolBuffer } from '../pools/pool.js';
import type { Clock, Later } from '../pools/time.js';
import type { Allocation } from './allocation.js';
import { Rounds } from './rounds.js';

/** A buffer that its owner is done with. */
export interface Departure {
  readonly allocation: Allocation;
  readonly buffer: PoolBuffer;
}

export interface LeavingOptions {
  /** Whether somebody else still has the buffer. Asked only where that can be told. */
  readonly inUse: (buffer: PoolBuffer) => boolean;
  readonly later: Later;
  readonly clock: Clock;
  /** What a slice of work saw: these are free, those are still held. */
  readonly saw: (gone: readonly Departure[], staying: readonly Departure[]) => void;
}

/** Milliseconds that one slice may take, of the two that nothing blocks the event loop for. */
const SLICE = 1;
/**
 * Milliseconds that it takes to read a dma-buf's references (20 µs on Debian's Linux 6.12 for x86-64, emulated by QEMU),
 * and to end a buffer.
 */
const LOOK = 0.02;
const END = 0.005;
/** Milliseconds that it takes to open a card and to ask for an object. */
const ASK = 0.1;
/** Milliseconds between two slices, so that requests get most of the time even with thousands of orphans. */
const BREATH = 5;
/** Milliseconds before the first rounds, and all later ones: soon after somebody left, then less and less often. */
const PAUSES = [20, 250, 500] as const;
const LATE = 1000;
/** Milliseconds after which a buffer that is still held is no longer looked at with those that were just left. */
const FRESH = 3000;
/** Of those that somebody has had for long, a slice is followed by a pause of so many times its length. */
const REST = 200;

/** When its owner left it: milliseconds of the clock. */
interface Watched {
  readonly departure: Departure;
  readonly since: number;
  /** Its descriptor is closed, and its memory is followed. */
  isFollowed?: true;
}

/** What a look at a buffer shows: something has it, it is over, or it ends here and its memory may live on. */
type Finding = 'held' | 'gone' | 'outlives';

/**
 * Waits until nobody holds what was released. The kernel tells nobody when a reference goes, so it looks again and
 * again, but only while there is something to look at: often at what was just left, and at what somebody keeps as seldom
 * as it takes to use half a percent of a processor at most.
 */
export class Leaving {
  readonly #options: LeavingOptions;
  readonly #fresh: Rounds<Watched>;
  readonly #kept: Rounds<Watched>;
  /** Those whose descriptors are being closed. */
  readonly #closing = new Map<Watched, Promise<void>>();
  /** Milliseconds that the last slice took. */
  #spent = SLICE;
  #isClosed = false;

  constructor(options: LeavingOptions) {
    this.#options = options;
    const common = {
      later: options.later,
      look: (round: Watched[]): void => {
        this.#look(round);
      },
    };
    this.#fresh = new Rounds({
      ...common,
      breath: () => BREATH,
      between: (rounds) => PAUSES[rounds] ?? LATE,
    });
    const rest = (): number => Math.max(this.#spent, SLICE) * REST;
    this.#kept = new Rounds({ ...common, breath: rest, between: () => Math.max(LATE, rest()) });
  }

  /** Ends what nobody holds, at once as far as one slice goes, and watches the rest. */
  add(departures: readonly Departure[]): void {
    const since = this.#options.clock();
    const left = departures.map((departure) => ({ departure, since })).reverse();
    this.#fresh.begin();
    this.#look(left);
    this.#fresh.add(left);
  }

  /** Looks now at all that belongs to somebody who needs it to be gone, in slices between which others run. */
  async recheck(belongs: (departure: Departure) => boolean): Promise<void> {
    for (;;) {
      const wanted = [this.#fresh, this.#kept].flatMap((rounds) =>
        rounds.remove(({ departure }) => belongs(departure)),
      );
      while (wanted.length > 0) {
        this.#look(wanted);
        if (wanted.length > 0) await othersFirst();
      }
      const closing = [...this.#closing].filter(([{ departure }]) => belongs(departure));
      if (closing.length === 0) return;
      await Promise.all(closing.map(([, closed]) => closed));
    }
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    this.#fresh.close();
    this.#kept.close();
  }

  /** Looks at one slice's worth, from the end, and takes it away. */
  #look(watched: Watched[]): void {
    const { clock, saw } = this.#options;
    const start = clock();
    const gone: Departure[] = [];
    const staying: Departure[] = [];
    for (let spent = 0; Math.max(spent, clock() - start) < SLICE;) {
      const one = watched.pop();
      if (one === undefined) break;
      const { departure, since } = one;
      spent += this.#costOf(one);
      const finding = this.#examine(one);
      if (finding === 'gone') gone.push(departure);
      else if (finding === 'outlives') this.#follow(one);
      else {
        staying.push(departure);
        (start - since < FRESH ? this.#fresh : this.#kept).again(one);
      }
    }
    saw(gone, staying);
    this.#spent = clock() - start;
  }

  #costOf({ departure: { buffer }, isFollowed }: Watched): number {
    if (isFollowed) return ASK;
    return END + (buffer.pool.countsReferences ? LOOK : 0);
  }

  #examine({ departure: { allocation, buffer }, isFollowed }: Watched): Finding {
    const { pool } = buffer;
    if (isFollowed) {
      // What cannot be told counts against the user for as long as its connection lives, and against the pool for good.
      const isHeld = pool.held(buffer) ?? !allocation.ownerLeft;
      return isHeld ? 'held' : 'gone';
    }
    if (pool.countsReferences && this.#options.inUse(buffer)) return 'held';
    return pool.outlives ? 'outlives' : 'gone';
  }

  #follow(one: Watched): void {
    const { buffer } = one.departure;
    const closed = buffer.pool.follow(buffer).then(() => {
      this.#closing.delete(one);
      one.isFollowed = true;
      if (!this.#isClosed) this.#fresh.add([one]);
    });
    this.#closing.set(one, closed);
  }
}
