import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, join, posix, resolve } from 'node:path';

import type { PolicyProblem, ProblemKind } from './problem.js';

/** Where a policy file is, and what its sources call it. */
export interface PolicyPath {
  /** Its path without the root prefix; of a shipped file, the path in the package (`policy/dmabroker.conf`). */
  readonly name: string;
  /** What to open. */
  readonly path: string;
}

export interface PolicyPlaces {
  /** Put before every path. */
  readonly root: string;
  /** The package's own `policy/` directory, which stands in for a vendor's files where none are installed. */
  readonly shipped?: string;
}

export interface FoundFiles {
  /** In the order in which they count. */
  readonly files: readonly PolicyPath[];
  /** Places that could not be looked at. */
  readonly problems: readonly PolicyProblem[];
}

const MAIN = 'dmabroker.conf';
const DROP_INS = 'dmabroker.conf.d';
/** First the local administrator's, last the vendor's. */
const DIRECTORIES = ['/etc/dmabroker', '/run/dmabroker', '/usr/local/lib/dmabroker', '/usr/lib/dmabroker'];
const VENDOR = '/usr/lib/dmabroker';

/** What stands under a name: to read, to hide other files only, of no use, or not there. */
type Found = PolicyPath | 'mask' | 'unusable' | 'absent';

/**
 * Finds the policy files as systemd finds its own: the first main file, then the drop-ins of all directories by file
 * name; a file hides those of the same name in lesser directories, and one that is empty or a link to `/dev/null`
 * only hides them.
 */
export async function findPolicyFiles({ root, shipped }: PolicyPlaces): Promise<FoundFiles> {
  const problems: PolicyProblem[] = [];
  const places = DIRECTORIES.map((directory) => new Place(root, directory, directory, problems));
  if (shipped !== undefined && (await new Place(root, VENDOR, VENDOR, []).look(MAIN)) === 'absent') {
    places.push(new Place('/', resolve(shipped), basename(shipped), problems));
  }
  return { files: await filesOf(places), problems };
}

/** Finds the policy files of one directory, as a vendor's are. */
export async function findFilesIn(directory: string): Promise<FoundFiles> {
  const problems: PolicyProblem[] = [];
  const files = await filesOf([new Place('/', resolve(directory), directory, problems)]);
  return { files, problems };
}

async function filesOf(places: readonly Place[]): Promise<readonly PolicyPath[]> {
  const main = await firstOf(places, MAIN);
  const dropIns = new Map<string, Found>();
  for (const place of places) {
    for (const name of await place.list(DROP_INS)) {
      if (!dropIns.has(name)) dropIns.set(name, await place.look(posix.join(DROP_INS, name)));
    }
  }
  const sorted = [...dropIns].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return [main, ...sorted.map(([, file]) => file)].filter((file) => typeof file === 'object');
}

async function firstOf(places: readonly Place[], name: string): Promise<Found> {
  for (const place of places) {
    const found = await place.look(name);
    if (typeof found === 'object' || found === 'mask') return found;
  }
  return 'absent';
}

/** `EACCES` and the like; the message itself would show where the root is. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';

/** A directory that may hold policy files. */
class Place {
  readonly #root: string;
  readonly #directory: string;
  readonly #shown: string;
  readonly #problems: PolicyProblem[];

  constructor(root: string, directory: string, shown: string, problems: PolicyProblem[]) {
    this.#root = root;
    this.#directory = directory;
    this.#shown = shown;
    this.#problems = problems;
  }

  /** Names of the drop-ins in a directory below; none when it is not there. */
  async list(directory: string): Promise<readonly string[]> {
    try {
      const names = await readdir(join(this.#root, await this.#chase(directory)));
      return names.filter((name) => name.endsWith('.conf') && !name.startsWith('.'));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT')
        this.#warn(directory, 'unreadable', `cannot be read (${codeOf(error)})`);
      return [];
    }
  }

  async look(name: string): Promise<Found> {
    try {
      const target = await this.#chase(name);
      if (target === DEV_NULL) return 'mask';
      const path = join(this.#root, target);
      const stats = await lstat(path);
      if (stats.isFile()) return stats.size === 0 ? 'mask' : { name: posix.join(this.#shown, name), path };
      this.#warn(name, 'not-a-file', 'not a file');
      return 'unusable';
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'ENOENT') this.#warn(name, 'unreadable', `cannot be read (${code})`);
      else if (await this.#isLink(name)) this.#warn(name, 'dangling-link', 'leads nowhere');
      else return 'absent';
      return 'unusable';
    }
  }

  /** Where a name leads, without the root prefix. */
  #chase(name: string): Promise<string> {
    return chase(this.#root, posix.join(this.#directory, name));
  }

  #isLink(name: string): Promise<boolean> {
    return lstat(join(this.#root, this.#directory, name)).then(
      (stats) => stats.isSymbolicLink(),
      () => false,
    );
  }

  #warn(name: string, kind: ProblemKind, problem: string): void {
    this.#problems.push({ kind, file: posix.join(this.#shown, name), text: `${problem}, ignored` });
  }
}

/** More links than this are a circle, as the kernel counts. */
const MAX_LINKS = 40;

/** What a link leads to that hides a file and is none; in an image it need not be there. */
const DEV_NULL = '/dev/null';

/**
 * Where a path ends when each of its links is followed, the ones to directories too. All below the root: a link in an
 * image means a place in that image, and `..` does not lead out of it.
 * @param path absolute, without the root
 * @returns the same, without links; it need not be there
 * @throws {NodeJS.ErrnoException} ELOOP, and whatever lstat says but ENOENT
 */
export async function chase(root: string, path: string): Promise<string> {
  const ahead = path.split('/').reverse();
  let at = '/';
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    const next = posix.resolve(at, name);
    const target = next === DEV_NULL ? undefined : await linkTarget(join(root, next));
    if (target === undefined) {
      at = next;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw Object.assign(new Error(`${path}: too many links`), { code: 'ELOOP' });
    if (target.startsWith('/')) at = '/';
    ahead.push(...target.split('/').reverse());
  }
  return at;
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
