import { watch, type FSWatcher } from 'node:fs';
import { basename } from 'node:path';

/**
 * Watches a directory for entries that come, go or get other permissions (inotify; Node tells the last as `change`). A
 * directory that is not there is not watched until it is `renew`ed.
 */
export class DirectoryWatch implements Disposable {
  readonly #path: string;
  readonly #happened: (name: string) => void;
  #watcher: FSWatcher | undefined;

  /** @param happened told the entry's name; of the directory itself too, when it goes */
  constructor(path: string, happened: (name: string) => void) {
    this.#path = path;
    this.#happened = happened;
  }

  /** Watches the directory that stands there now. @returns why that cannot be done, as an errno */
  renew(): string | undefined {
    this[Symbol.dispose]();
    try {
      const watcher = watch(this.#path, { persistent: false }, (_event, name) => {
        this.#happened(name ?? basename(this.#path));
      });
      watcher.on('error', () => {
        watcher.close();
      });
      this.#watcher = watcher;
      return undefined;
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : String(error);
    }
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
