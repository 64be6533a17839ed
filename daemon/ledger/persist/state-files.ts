import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

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

  /** @throws {Error} of node:fs */
  read(number: number): string {
    const fd = openSync(this.path(number), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return readFileSync(fd, 'utf8');
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

  /** Puts a file that is of no use where a person finds it, in the place of one that was put there before. @returns its path */
  setAside(number: number): string {
    const aside = join(this.#directory, `ledger.${number}.unreadable`);
    renameSync(this.path(number), aside);
    return aside;
  }
}
