import type { Progress } from '../../dbus/accounts/progress.js';
import type { Broker } from '../broker/broker-types.js';
import type { ServiceManager } from '../kernel/service-manager.js';
import type { Log } from '../base/log.js';
import type { Later } from '../base/time.js';
import { amountText } from '../sizing/amount.js';
import { tell } from './state-directory.js';

/** What the service manager is told, as sd_notify(3) has it. Without a service manager, none of it does anything. */
export class Reports {
  readonly #manager: Pick<ServiceManager, 'send'> | undefined;
  readonly #log: Pick<Log, 'debug'>;
  #isReady = false;

  constructor(manager: Pick<ServiceManager, 'send'> | undefined, log: Pick<Log, 'debug'>) {
    this.#manager = manager;
    this.#log = log;
  }

  /** The service is there, and says from now on how it is, and that it is alive. */
  ready(
    broker: Broker,
    { environment, later }: { readonly environment: WatchdogEnvironment; readonly later: Later },
  ): Disposable {
    if (this.#manager === undefined) return { [Symbol.dispose]: () => undefined };
    const status = followStatus(broker, later, (line) => {
      this.#tell(`STATUS=${line}`);
    });
    this.#tell('READY=1');
    this.#isReady = true;
    const feed = (): void => {
      this.#tell('WATCHDOG=1');
    };
    const { progress } = broker.accounts;
    const watchdog = feedWatchdog(environment, { pid: process.pid, later, feed, progress });
    return {
      [Symbol.dispose]: () => {
        watchdog?.[Symbol.dispose]();
        status[Symbol.dispose]();
      },
    };
  }

  /** The caller of the reload waits until `run` has ended (`Type=notify-reload`). */
  async reloading(run: () => Promise<void>): Promise<void> {
    // One that is still starting is not ready because it has read its policy again.
    const tells = this.#isReady;
    if (tells) this.#tell(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    await run();
    if (tells) this.#tell('READY=1');
  }

  stopping(): void {
    this.#tell('STOPPING=1');
  }

  #tell(text: string): void {
    tell(this.#manager, text, this.#log);
  }
}

/** What systemd says of its watchdog (sd_watchdog_enabled(3)): microseconds, and the process that they are meant for. */
export type WatchdogEnvironment = Readonly<Partial<Record<'WATCHDOG_USEC' | 'WATCHDOG_PID', string>>>;

/**
 * Says twice in each of the watchdog's times that requests get on: not while any wait and none was completed since it was
 * last said. A timer of the event loop says it, so that a loop that stands still says nothing.
 * @param pid of this process
 * @returns undefined where the service manager does not ask for it
 */
export function feedWatchdog(
  environment: WatchdogEnvironment,
  { pid, later, feed, progress }: WatchdogFeeding,
): Disposable | undefined {
  const { WATCHDOG_USEC: time, WATCHDOG_PID: of = String(pid) } = environment;
  const microseconds = Number(time);
  if (of !== String(pid) || !Number.isSafeInteger(microseconds) || microseconds <= 0) return undefined;
  let timer: Disposable;
  const next = (): void => {
    if (progress.look()) feed();
    timer = later(microseconds / 2000, next);
  };
  next();
  return {
    [Symbol.dispose]: () => {
      timer[Symbol.dispose]();
    },
  };
}

interface WatchdogFeeding {
  readonly pid: number;
  readonly later: Later;
  readonly feed: () => void;
  readonly progress: Pick<Progress, 'look'>;
}

/** Milliseconds from a change until it is told: however fast requests come, once a second is enough for a reader. */
const MIN_INTERVAL_MS = 1000;

/** What `systemctl status` shows: `3 devices, 2 heaps, 14 buffers, 412 MiB`. */
export function statusLine(broker: Pick<Broker, 'devices' | 'pools' | 'totals'>): string {
  const { liveBuffers, liveBytes } = broker.totals();
  return [
    counted(broker.devices().length, 'device'),
    counted(broker.pools().length, 'heap'),
    counted(liveBuffers, 'buffer'),
    amountText(liveBytes),
  ].join(', ');
}

/** Tells the line now, and again after it changed. */
export function followStatus(
  broker: Pick<Broker, 'devices' | 'pools' | 'totals' | 'listen'>,
  later: Later,
  tell: (line: string) => void,
): Disposable {
  let told: string | undefined;
  let timer: Disposable | undefined;
  let ended = false;
  const look = (): void => {
    timer = undefined;
    const line = statusLine(broker);
    if (line !== told) tell(line);
    told = line;
  };
  broker.listen({
    totalsChanged: () => {
      if (!ended) timer ??= later(MIN_INTERVAL_MS, look);
    },
  });
  look();
  return {
    [Symbol.dispose]: () => {
      ended = true;
      timer?.[Symbol.dispose]();
    },
  };
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
