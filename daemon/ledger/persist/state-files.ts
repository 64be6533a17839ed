import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Bytes of a ledger that are read: many times what the most buffers and allocations take, and read in a second. */
const MAX_BYTES = 32 * 2 ** 20;
/** Files of one number that are kept aside. */
const MAX_ASIDE = 8;

/** A state file that is being written. */
export interface StateFile {
  readonly number: number;
  /** Writes all of it. @throws {Error} of node:fs */
  append(text: string): void;
  close(): void;
}

/** The files in which the state is kept, `ledger.1` and on; of two the one with the higher number goes on from the other. */
export class StateFiles {
  readonly #directory: string;

  /** @param directory is there */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Numbers of the files that there are, lowest first. @throws {Error} of node:fs */
  list(): readonly number[] {
    return readdirSync(this.#directory)
      .flatMap((name) => /^ledger\.([1-9]\d{0,9})$/.exec(name)?.[1] ?? [])
      .map(Number)
      .toSorted((a, b) => a - b);
  }

  path(number: number): string {
    return join(this.#directory, `ledger.${number}`);
  }

  /**
   * Never waits, whatever stands there, and reads no more than any ledger has.
   * @throws {Error} of node:fs, or for what is no file
   */
  read(number: number): { readonly text: string; readonly whole: boolean } {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const fd = openSync(this.path(number), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw new Error('it is no file');
      const bytes = Buffer.alloc(Math.min(stat.size, MAX_BYTES));
      let length = 0;
      for (let got = 1; got > 0 && length < bytes.length; length += got)
        got = readSync(fd, bytes, length, bytes.length - length, length);
      return { text: bytes.toString('utf8', 0, length), whole: stat.size <= MAX_BYTES };
    } finally {
      closeSync(fd);
    }
  }

  /** Begins a file that was not there. @throws {Error} of node:fs */
  create(number: number): StateFile {
    const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW } = constants;
    const fd = openSync(this.path(number), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0o600);
    return {
      number,
      append: (text) => {
        const bytes = Buffer.from(text);
        for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
      },
      close: () => {
        closeSync(fd);
      },
    };
  }

  remove(number: number): void {
    rmSync(this.path(number), { force: true });
  }

  /** Puts a file that is of no use where a person finds it. @returns its path @throws {Error} of node:fs */
  setAside(number: number): string {
    const first = join(this.#directory, `ledger.${number}.unreadable`);
    const names = [first, ...Array.from({ length: MAX_ASIDE - 1 }, (_, i) => `${first}.${i + 2}`)];
    const aside = names.find((name) => !existsSync(name)) ?? first;
    renameSync(this.path(number), aside);
    return aside;
  }
}
