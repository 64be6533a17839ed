import type { MachineState } from '../broker/options.js';
import { both, DEVICES, type Change } from '../devices/watch/change.js';
import type { DeviceWatch } from '../devices/watch/watch-devices.js';
import type { Heap } from '../heaps/heap.js';
import type { LiveMachine, Look } from './live-machine.js';
import type { Log } from '../base/log.js';
import type { Policy } from '../policy/policy.js';

export interface FollowOptions {
  readonly machine: Pick<LiveMachine, 'look'>;
  /** As the machine is known to be when this begins, and said to be. */
  readonly first: MachineState & Pick<Look, 'refused'>;
  readonly watch: (changed: (change: Change) => void) => DeviceWatch;
  /** Policy as it is now. */
  readonly policy: () => Policy;
  /** Takes over a state of the machine, and the heaps in it that it does not have yet. */
  readonly adopt: (state: MachineState) => void;
  readonly log: FollowLog;
}

export type FollowLog = Pick<Log, 'info' | 'warn' | 'error'>;

/**
 * Looks at the machine whenever something may have changed, one look after the other, and has each new state taken over. A
 * look that fails changes nothing; the next one may succeed.
 */
export class Follower implements Disposable {
  readonly #options: FollowOptions;
  readonly #watch: DeviceWatch;
  #state: MachineState;
  /** What is to be looked at next. */
  #next: Change | undefined;
  #looking = false;
  #closed = false;
  /** Heaps that were said to be of no use, and why. */
  #refused: ReadonlyMap<string, string>;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#state = options.first;
    this.#refused = refusalTexts(options.first.refused);
    this.#watch = options.watch((change) => {
      this.#changed(change);
    });
    // What came before anybody watched.
    this.#changed(DEVICES);
  }

  /** Takes over nothing more. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#watch[Symbol.dispose]();
  }

  #changed(change: Change): void {
    this.#next = this.#next === undefined ? change : both(this.#next, change);
    if (!this.#looking) void this.#lookOn();
  }

  /** Never rejects. */
  async #lookOn(): Promise<void> {
    this.#looking = true;
    for (let change = this.#take(); change !== undefined; change = this.#take()) await this.#look(change);
    this.#looking = false;
  }

  #take(): Change | undefined {
    const change = this.#closed ? undefined : this.#next;
    this.#next = undefined;
    return change;
  }

  async #look(change: Change): Promise<void> {
    const { machine, policy, log } = this.#options;
    try {
      const look = await machine.look(change, policy());
      if (this.#closed) this.#giveBack(look.state.heaps);
      else this.#takeOver(look);
    } catch (err) {
      log.error(
        { event: 'machine-unreadable', err },
        'the devices could not be read; the previous state stays in force',
      );
    }
  }

  #takeOver({ state, between, isNew, refused, unsettled }: Look): void {
    const { adopt, log } = this.#options;
    this.#watch.attend(unsettled);
    const told = this.#refused;
    this.#refused = refusalTexts(refused);
    for (const [text, heap] of this.#refused)
      if (!told.has(text)) log.warn({ event: 'heap-refused', heap }, text);
    if (!isNew) return;
    for (const next of between === undefined ? [state] : [between, state]) {
      const before = this.#state;
      this.#state = next;
      this.#say(before, next);
      adopt(next);
    }
  }

  #say({ inventory: before }: MachineState, { inventory: now }: MachineState): void {
    const there = before.devices.map(({ node }) => node);
    const here = now.devices.map(({ node }) => node);
    const came = here.filter((node) => !there.includes(node));
    const went = there.filter((node) => !here.includes(node));
    if (came.length + went.length > 0)
      this.#options.log.info({ event: 'devices-changed', came, went }, 'devices came or went');
  }

  /** Closes the heaps that were not taken over. */
  #giveBack(heaps: readonly Heap[]): void {
    for (const heap of heaps) if (!this.#state.heaps.includes(heap)) heap.close();
  }
}

/** What the log says of heaps, with the id of each: no client learns of one. */
export const refusalTexts = (refused: Look['refused']): ReadonlyMap<string, string> =>
  new Map(refused.map(({ id, reason }) => [`heap ${id} cannot be used: ${reason}`, id]));
