import { setImmediate as othersFirst } from 'node:timers/promises';

import type { PoolBuffer } from '../pools/pool.js';
import type { Later } from '../pools/time.js';
import type { Allocation } from './allocation.js';

/** A buffer that its owner is done with. */
export interface Departure {
  readonly allocation: Allocation;
  readonly buffer: PoolBuffer;
}

export interface LeavingOptions {
  /** Whether somebody else still has the buffer. Asked only where that can be told. */
  readonly inUse: (buffer: PoolBuffer) => boolean;
  readonly later: Later;
  /** What a slice of work saw: these are free, those are still held. */
  readonly saw: (gone: readonly Departure[], staying: readonly Departure[]) => void;
}

/** Microseconds that one slice may take, of the two milliseconds that nothing blocks the event loop for. */
const SLICE = 1000;
/** Microseconds that it takes to read a dma-buf's references (facts/kernel.md), and to end a buffer. */
const LOOK = 20;
const END = 5;
/** Milliseconds between two slices, so that requests get most of the time even with thousands of orphans. */
const BREATH = 5;
/** Milliseconds before the first rounds, and all later ones: soon after somebody left, then less and less often. */
const PAUSES = [20, 250, 500] as const;
const LATE = 1000;

/**
 * Waits until nobody holds what was released. The kernel tells nobody when a reference goes, so it looks again and
 * again, but only while there is something to look at.
 */
export class Leaving {
  readonly #options: LeavingOptions;
  /** Still to be looked at in this round; taken from the end. */
  #round: Departure[] = [];
  #nextRound: Departure[] = [];
  /** Rounds since somebody left. */
  #rounds = 0;
  #timer: { readonly pause: number; readonly cancel: Disposable } | undefined;

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  /** Ends what nobody holds, at once as far as one slice goes, and watches the rest. */
  add(departures: readonly Departure[]): void {
    const fresh = departures.toReversed();
    this.#rounds = 0;
    this.#look(fresh);
    for (const departure of fresh) this.#round.push(departure);
    this.#arm();
  }

  /** Looks now at all that belongs to somebody who needs it to be gone, in slices between which others run. */
  async recheck(belongs: (departure: Departure) => boolean): Promise<void> {
    const wanted = [...this.#round, ...this.#nextRound].filter(belongs);
    this.#round = this.#round.filter((departure) => !belongs(departure));
    this.#nextRound = this.#nextRound.filter((departure) => !belongs(departure));
    while (wanted.length > 0) {
      this.#look(wanted);
      if (wanted.length > 0) await othersFirst();
    }
    this.#arm();
  }

  /** Looks no more. */
  close(): void {
    this.#timer?.cancel[Symbol.dispose]();
    this.#timer = undefined;
  }

  #tick(): void {
    this.#timer = undefined;
    if (this.#round.length === 0) {
      this.#rounds += 1;
      [this.#round, this.#nextRound] = [this.#nextRound, this.#round];
    }
    this.#look(this.#round);
    this.#arm();
  }

  /** Sets the timer for the next slice or round; one that fires sooner stays, or a stream of leavers would hold it up. */
  #arm(): void {
    if (this.#round.length + this.#nextRound.length === 0) {
      this.close();
      return;
    }
    const pause = this.#round.length > 0 ? BREATH : (PAUSES[this.#rounds] ?? LATE);
    if (this.#timer !== undefined && this.#timer.pause <= pause) return;
    this.close();
    const cancel = this.#options.later(pause, () => {
      this.#tick();
    });
    this.#timer = { pause, cancel };
  }

  /** Looks at one slice's worth, from the end. */
  #look(departures: Departure[]): void {
    const gone: Departure[] = [];
    const staying: Departure[] = [];
    for (let spent = 0; spent < SLICE;) {
      const departure = departures.pop();
      if (departure === undefined) break;
      const countable = departure.buffer.pool.countsReferences;
      spent += END + (countable ? LOOK : 0);
      if (countable && this.#options.inUse(departure.buffer)) staying.push(departure);
      else gone.push(departure);
    }
    for (const departure of staying) this.#nextRound.push(departure);
    this.#options.saw(gone, staying);
  }
}
