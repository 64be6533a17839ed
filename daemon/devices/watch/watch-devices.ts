import { KernelError } from '../../kernel/errors.js';
import type { UeventCalls } from '../../kernel/kernel.js';
import type { Log } from '../../messages/log.js';
import { Attention } from './attention.js';
import { ANYTHING, changeOf, DEVICES, type Change } from './change.js';
import { DevWatch } from './dev-watch.js';
import { Gather, type Later } from './gather.js';

export interface WatchOptions {
  /** Put before /dev; empty (or `/`) on the live machine. */
  readonly root: string;
  readonly uevents: UeventCalls;
  readonly later: Later;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** The machine is worth reading again. */
  readonly changed: (change: Change) => void;
}

/** Watches until it is disposed. */
export interface DeviceWatch extends Disposable {
  /** These nodes, and no others, could not be asked: `changed` is called when that may be different. */
  attend(nodes: ReadonlySet<string>): void;
}

/**
 * Tells when devices may have come, gone or changed: by the kernel's events where they can be heard, else by what stands
 * in /dev. The log says which.
 */
export const watchDevices = (options: WatchOptions): DeviceWatch => new Watch(options);

class Watch implements DeviceWatch {
  readonly #options: WatchOptions;
  readonly #root: string;
  readonly #gather: Gather;
  readonly #attention: Attention;
  #source: Disposable | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#root = options.root.replace(/\/+$/, '');
    this.#gather = new Gather(options.later, options.changed);
    this.#attention = new Attention(this.#root, options.later, () => {
      this.#gather.add(DEVICES);
    });
    if (this.#root === '') this.#listen();
    else this.#watchDev(`the machine's own events say nothing of ${this.#root}`);
  }

  attend(nodes: ReadonlySet<string>): void {
    this.#attention.to(nodes);
  }

  [Symbol.dispose](): void {
    this.#source?.[Symbol.dispose]();
    this.#attention[Symbol.dispose]();
    this.#gather[Symbol.dispose]();
  }

  #listen(): void {
    const { uevents, log } = this.#options;
    try {
      this.#source = uevents.listen({
        event: (uevent) => {
          const change = changeOf(uevent);
          if (change !== undefined) this.#gather.add(change);
        },
        lost: () => {
          log.info({ event: 'events-lost' }, 'events of the kernel were lost; everything is read again');
          this.#gather.add(ANYTHING);
        },
        ended: (reason) => {
          this.#watchDev(`the kernel's events ended: ${reason.message}`);
          this.#gather.add(ANYTHING);
        },
      });
      log.info(
        { event: 'events-heard' },
        'devices that come and go are seen by the events of the kernel (netlink)',
      );
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#watchDev(`the kernel's events cannot be heard: ${error.message}`);
    }
  }

  #watchDev(reason: string): void {
    const { log } = this.#options;
    try {
      this.#source = new DevWatch(this.#root, () => {
        this.#gather.add(DEVICES);
      });
      log.info(
        { event: 'nodes-watched', reason },
        'devices that come and go are seen by watching /dev; changes of displays are not seen',
      );
    } catch (error) {
      this.#source = undefined;
      log.warn({ event: 'nothing-watched', err: error, reason }, 'devices that come and go are not seen');
    }
  }
}
