import type { PrivateBus } from './private-bus.js';

export interface DaemonOptions {
  readonly bus: PrivateBus | string;
  /** Options after `--bus ADDRESS`. */
  readonly args?: readonly string[];
  /** Added to the environment of the test; a variable that is undefined is taken away. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The built daemon (`npm run build`), running and owning its name. */
export interface RunningDaemon extends AsyncDisposable {
  readonly pid: number;
  /** Settles when the process is gone; never rejects. */
  readonly exited: Promise<Exit>;
  /** What it wrote so far, to stdout and stderr. */
  log(): string;
  /** How many descriptors it has open now. */
  fdCount(): number;
  /** SIGTERM, then waits for the end. */
  stop(): Promise<Exit>;
}

/** Starts dist/daemon/main.js and waits until org.dmabroker1 has an owner. The log is printed when the test fails. */
export async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  await Promise.reject(new Error(`not written yet: ${String(options.args)}`));
  throw new Error('unreachable');
}
