import { KernelError } from '../../kernel/errors.js';
import type { UeventCalls } from '../../kernel/kernel.js';
import type { Log } from '../../base/log.js';
import type { Later } from '../../base/time.js';
import { NodeRetry } from './retry.js';
import { ANYTHING, changeOf, DEVICES, type Change } from './change.js';
import { Debounce } from './debounce.js';
import { DirectoryWatch } from './directory.js';

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
  readonly #debounce: Debounce;
  readonly #retry: NodeRetry;
  #source: Disposable | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#root = options.root.replace(/\/+$/, '');
    this.#debounce = new Debounce(options.later, options.changed);
    this.#retry = new NodeRetry(this.#root, options.later, () => {
      this.#debounce.add(DEVICES);
    });
    if (this.#root === '') this.#listen();
    else this.#watchDev(`kernel events are about this machine, not about ${this.#root}`);
  }

  attend(nodes: ReadonlySet<string>): void {
    this.#retry.to(nodes);
  }

  [Symbol.dispose](): void {
    this.#source?.[Symbol.dispose]();
    this.#retry[Symbol.dispose]();
    this.#debounce[Symbol.dispose]();
  }

  #listen(): void {
    const { uevents, log } = this.#options;
    try {
      this.#source = uevents.listen({
        event: (uevent) => {
          const change = changeOf(uevent);
          if (change !== undefined) this.#debounce.add(change);
        },
        lost: () => {
          log.info({ event: 'events-lost' }, 'kernel events were lost; all devices are read again');
          this.#debounce.add(ANYTHING);
        },
        ended: (reason) => {
          this.#watchDev(`the kernel's events ended: ${reason.message}`);
          this.#debounce.add(ANYTHING);
        },
      });
      log.info({ event: 'events-heard' }, 'hotplug is watched by kernel events (netlink)');
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#watchDev(`kernel events cannot be received: ${error.message}`);
    }
  }

  #watchDev(reason: string): void {
    const { log } = this.#options;
    try {
      this.#source = new DevWatch(this.#root, () => {
        this.#debounce.add(DEVICES);
      });
      log.info(
        { event: 'nodes-watched', reason },
        'hotplug is watched in /dev; changes of displays are not noticed',
      );
    } catch (error) {
      this.#source = undefined;
      log.warn({ event: 'nothing-watched', err: error, reason }, 'hotplug is not watched');
    }
  }
}

/** Directories below /dev whose entries are devices, and what of /dev itself is. */
const BELOW = ['dri', 'dma_heap'] as const;
const DEVICE = /^(video\d+|media\d+|v4l-subdev\d+|udmabuf)$/;

/**
 * Watches /dev for nodes that come and go, where the kernel's events cannot be heard. It does not see displays that are
 * plugged or unplugged.
 */
class DevWatch implements Disposable {
  readonly #watches: readonly DirectoryWatch[];

  /** @throws {Error} when /dev cannot be watched */
  constructor(root: string, happened: () => void) {
    const below = new Map(
      BELOW.map((name) => [name as string, new DirectoryWatch(`${root}/dev/${name}`, happened)]),
    );
    const dev = new DirectoryWatch(`${root}/dev`, (name) => {
      const directory = below.get(name);
      // What was made in it before it is watched is found by the listener.
      directory?.renew();
      if (directory !== undefined || DEVICE.test(name)) happened();
    });
    this.#watches = [dev, ...below.values()];
    const [failure] = this.#watches.map((watch) => watch.renew());
    if (failure !== undefined) throw new Error(`/dev cannot be watched: ${failure}`);
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches) watch[Symbol.dispose]();
  }
}
