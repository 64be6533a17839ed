import type { Broker } from './broker/types.js';
import type { ServiceManager } from './kernel/service-manager.js';
import type { Log } from './messages/log.js';
import type { Later } from './pools/time.js';
import { tell } from './state.js';
import { followStatus } from './status-line.js';
import { feedWatchdog, type WatchdogEnvironment } from './watchdog.js';

/** What the service manager is told, as sd_notify(3) has it. Where nobody listens, none of it does anything. */
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
    const watchdog = feedWatchdog(environment, { pid: process.pid, later, feed });
    return {
      [Symbol.dispose]: () => {
        watchdog?.[Symbol.dispose]();
        status[Symbol.dispose]();
      },
    };
  }

  /** Whoever asked for it waits until `run` has ended (`Type=notify-reload`). */
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
