import { DirectoryWatch } from './directory.js';

/** Directories below /dev whose entries are devices, and what of /dev itself is. */
const BELOW = ['dri', 'dma_heap'] as const;
const DEVICE = /^(video\d+|media\d+|v4l-subdev\d+|udmabuf)$/;

/**
 * Watches /dev for nodes that come and go, where the kernel's events cannot be heard. It does not see displays that are
 * plugged or unplugged.
 */
export class DevWatch implements Disposable {
  readonly #watches: readonly DirectoryWatch[];

  /** @throws {Error} when /dev cannot be watched */
  constructor(root: string, happened: () => void) {
    const below = new Map(
      BELOW.map((name) => [name as string, new DirectoryWatch(`${root}/dev/${name}`, happened)]),
    );
    const dev = new DirectoryWatch(`${root}/dev`, (name) => {
      const directory = below.get(name);
      // What was made in it before it is watched is found by whoever is told.
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
