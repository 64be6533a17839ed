import { constants } from 'node:fs';
import { lstat, open, readdir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';

/** An attribute of sysfs is at most a page; the kernel's largest pages are 64 KiB. */
const MAX_ATTRIBUTE_BYTES = 65_536;

/** Why a file says nothing. */
export type FileProblem =
  | 'bad-value'
  | 'leads-nowhere'
  | 'not-a-file'
  | 'not-text'
  | 'out-of-tree'
  | 'too-long'
  | 'unreadable'
  /** Something else, which only the text tells. */
  | 'other';

/** Told of what could not be read; each text starts with the name of the file. */
export type Warn = (text: string, problem: FileProblem) => void;

/** A file's name for a fact's source. */
export const kernelSource = (path: string): string => `kernel:${path}`;

/**
 * Reads /sys, /proc and /dev below a root. A path that is not there is an absent fact (undefined); one that is there
 * and cannot be used is a warning and an absent fact.
 */
export class KernelFiles {
  readonly #root: string;
  readonly #warn: Warn;

  /** @param root put before every path; empty on the live machine */
  constructor(root: string, warn: Warn) {
    this.#root = root.replace(/\/+$/, '');
    this.#warn = warn;
  }

  /** The path that a call can open. */
  host(path: string): string {
    return this.#root + path;
  }

  warn(path: string, text: string, problem: FileProblem = 'other'): void {
    this.#warn(`${path}: ${text}`, problem);
  }

  /** Warns once more, in the same words. */
  repeat(text: string): void {
    this.#warn(text, 'other');
  }

  /** The same files, with another receiver of what could not be read. */
  warning(warn: Warn): KernelFiles {
    return new KernelFiles(this.#root, warn);
  }

  /** Contents, at most `limit` bytes long. */
  async bytes(path: string, limit = MAX_ATTRIBUTE_BYTES): Promise<Buffer | undefined> {
    let file: FileHandle | undefined;
    try {
      // O_NONBLOCK: in a tree that is not the kernel's, a FIFO may stand where a file should.
      file = await open(this.host(path), constants.O_RDONLY | constants.O_NONBLOCK);
      if (!(await file.stat()).isFile()) {
        this.warn(path, 'is not a file', 'not-a-file');
        return undefined;
      }
      const contents = await readAtMost(file, limit + 1);
      if (contents.length <= limit) return contents;
      this.warn(path, `is longer than ${limit} bytes`, 'too-long');
      return undefined;
    } catch (error) {
      await this.#tellUnlessAbsent(path, error);
      return undefined;
    } finally {
      await file?.close();
    }
  }

  /** Contents as text, without the white space around it. */
  async text(path: string, limit?: number): Promise<string | undefined> {
    const contents = await this.bytes(path, limit);
    if (contents === undefined) return undefined;
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(contents).trim();
    } catch {
      this.warn(path, 'is not UTF-8', 'not-text');
      return undefined;
    }
  }

  /** Contents that have the given shape; others are a warning that says what was `expected`. */
  async match(path: string, shape: RegExp, expected: string): Promise<string | undefined> {
    const text = await this.text(path);
    if (text === undefined || shape.test(text)) return text;
    this.warn(path, `${quote(text)} is not ${expected}`, 'bad-value');
    return undefined;
  }

  /** A whole number within the bounds. */
  async integer(path: string, least: number, most: number): Promise<number | undefined> {
    const text = await this.text(path);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    this.warn(path, `${quote(text)} is not a whole number from ${least} to ${most}`, 'bad-value');
    return undefined;
  }

  /** Names in a directory, `video2` before `video10`. */
  async list(path: string): Promise<readonly string[]> {
    try {
      const names = await readdir(this.host(path));
      return names.sort(naturalOrder);
    } catch (error) {
      await this.#tellUnlessAbsent(path, error);
      return [];
    }
  }

  /** Whether anything stands there, of whatever kind. */
  async exists(path: string): Promise<boolean> {
    return lstat(this.host(path)).then(
      () => true,
      () => false,
    );
  }

  /**
   * What tells a file from every other that ever stands at its path: the kernel makes a new one for a device that comes
   * back. Undefined where none is.
   */
  async identity(path: string): Promise<string | undefined> {
    return stat(this.host(path), { bigint: true }).then(
      ({ ino, rdev, birthtimeNs }) => `${rdev} ${ino} ${birthtimeNs}`,
      () => undefined,
    );
  }

  /** Where a path leads in the end, below the root. */
  async resolve(path: string): Promise<string | undefined> {
    try {
      const root = (await realpath(this.host('/'))).replace(/\/$/, '');
      const target = await realpath(this.host(path));
      if (target.startsWith(`${root}/`)) return target.slice(root.length);
      this.warn(path, 'leads out of the tree', 'out-of-tree');
      return undefined;
    } catch (error) {
      await this.#tellUnlessAbsent(path, error);
      return undefined;
    }
  }

  /** Last name of the path that a link leads to. */
  async linkName(path: string): Promise<string | undefined> {
    const target = await this.resolve(path);
    return target === undefined ? undefined : posix.basename(target);
  }

  async #tellUnlessAbsent(path: string, error: unknown): Promise<void> {
    const code = errorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') this.warn(path, `cannot be read: ${code}`, 'unreadable');
    else if (await isLink(this.host(path))) this.warn(path, 'leads nowhere', 'leads-nowhere');
  }
}

const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

const isLink = async (path: string): Promise<boolean> =>
  lstat(path).then(
    (status) => status.isSymbolicLink(),
    () => false,
  );

/** Text of a file as a message may carry it: short, on one line, in quotes. */
export const quote = (text: string): string =>
  JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** Files of /proc have no size, so that their end shows only in reading. */
async function readAtMost(file: FileHandle, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < limit) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(16_384, limit - length)));
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
  }
  return Buffer.concat(chunks);
}

const RUNS = /\d+|\D+/g;

/**
 * Compares names for a sort: `video2` before `video10`. By hand, because the collation of Intl does the same only after it
 * has read ten megabytes of tables, at every start of the daemon.
 */
export function naturalOrder(left: string, right: string): number {
  const [a, b] = [left.match(RUNS) ?? [], right.match(RUNS) ?? []];
  for (const [i, run] of a.entries()) {
    const other = b[i];
    if (other === undefined) return 1;
    const order = Number(run) - Number(other) || compare(run, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

const compare = (left: string, right: string): number => (left < right ? -1 : Number(left > right));
