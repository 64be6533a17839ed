import { dirname } from 'node:path';

import { DirectoryWatch } from './directory.js';
import type { Later } from '../../base/time.js';

/**
 * Milliseconds after which nodes are looked at again, one after the other. A driver makes its node a moment before it
 * answers there (drm_minor_register, __video_register_device), and udev gives permissions a moment later still.
 */
const RETRY_DELAYS_MS = [20, 100, 500, 2000] as const;

/**
 * Looks after nodes that could not be asked, while there are any: again after a while, and whenever their permissions
 * change, however late.
 */
export class NodeRetry implements Disposable {
  readonly #root: string;
  readonly #later: Later;
  readonly #again: () => void;
  #nodes: ReadonlySet<string> = new Set();
  readonly #directories = new Map<string, DirectoryWatch>();
  #timer: Disposable | undefined;
  /** Times that these nodes were looked at again. */
  #times = 0;

  /** @param root put before every node */
  constructor(root: string, later: Later, again: () => void) {
    this.#root = root;
    this.#later = later;
    this.#again = again;
  }

  /** Looks after these, and no others. */
  to(nodes: ReadonlySet<string>): void {
    const fresh = [...nodes].filter((node) => !this.#nodes.has(node));
    if (fresh.length > 0) this.#times = 0;
    this.#nodes = nodes;
    this.#watchDirectories(new Set(fresh.map((node) => dirname(node))));
    this.#arm();
  }

  [Symbol.dispose](): void {
    this.to(new Set());
  }

  /** @param fresh directories with nodes that are new here: the kernel makes /dev/dri anew with its first card */
  #watchDirectories(fresh: ReadonlySet<string>): void {
    const wanted = new Set([...this.#nodes].map((node) => dirname(node)));
    for (const [directory, watch] of this.#directories) {
      if (wanted.has(directory)) continue;
      watch[Symbol.dispose]();
      this.#directories.delete(directory);
    }
    for (const directory of fresh) {
      const watch = this.#directories.get(directory) ?? this.#directoryWatch(directory);
      this.#directories.set(directory, watch);
      // One that cannot be watched leaves the timer, and the next event of a device.
      watch.renew();
    }
  }

  #directoryWatch(directory: string): DirectoryWatch {
    return new DirectoryWatch(this.#root + directory, (name) => {
      if (this.#nodes.has(`${directory}/${name}`)) this.#again();
    });
  }

  #arm(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const pause = RETRY_DELAYS_MS[this.#times];
    if (this.#nodes.size === 0 || pause === undefined) return;
    this.#timer = this.#later(pause, () => {
      this.#timer = undefined;
      this.#times += 1;
      this.#again();
    });
  }
}
