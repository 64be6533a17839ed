/**
 * What the daemon is told by signals. Until a caller waits for the end, SIGTERM and SIGINT end the process at once, with
 * success: before the daemon serves there is nothing to undo.
 */
export class Signals {
  #end: (signal: NodeJS.Signals) => void = () => process.exit(0);
  #reload: (() => void) | undefined;
  #reloadAsked = false;

  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        this.#end(signal);
      });
    }
    process.on('SIGHUP', () => {
      if (this.#reload === undefined) this.#reloadAsked = true;
      else this.#reload();
    });
  }

  /** The next signal to end. */
  end(): Promise<NodeJS.Signals> {
    return new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Runs `reload` at every SIGHUP, and at once when one came before. */
  onReload(reload: () => void): void {
    this.#reload = reload;
    if (this.#reloadAsked) reload();
  }
}
