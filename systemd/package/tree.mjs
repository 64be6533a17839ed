// A tree of files that is the same whenever and wherever it is written.
import { chmodSync, existsSync, lutimesSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Modes and times are set, whatever the umask and the clock; what stood in the tree before stays as it is. */
export class Tree {
  #root;
  #time;
  /** Paths to give their time, in the order they were made. */
  #made = [];

  /**
   * @param {string} root
   * @param {number} time that everything is of, in seconds since 1970
   */
  constructor(root, time) {
    this.#root = root;
    this.#time = time;
  }

  /** @param {string} path below the root @param {string | Uint8Array} contents @param {number} mode */
  write(path, contents, mode) {
    const file = this.#place(path);
    writeFileSync(file, contents);
    chmodSync(file, mode);
  }

  /** @param {string} path below the root @param {string} target what it leads to, as it is written there */
  link(path, target) {
    symlinkSync(target, this.#place(path));
  }

  /** Gives everything its time: nothing may be written afterwards. */
  finish() {
    // A directory's time changes with what is made in it, and it was made before that.
    for (const path of this.#made.toReversed()) lutimesSync(path, this.#time, this.#time);
  }

  #place(path) {
    const file = join(this.#root, path);
    this.#directory(dirname(file));
    rmSync(file, { force: true });
    this.#made.push(file);
    return file;
  }

  #directory(path) {
    if (existsSync(path)) return;
    this.#directory(dirname(path));
    mkdirSync(path);
    chmodSync(path, 0o755);
    this.#made.push(path);
  }
}
