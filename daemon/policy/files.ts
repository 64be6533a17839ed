import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, join, posix, resolve } from 'node:path';

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
  readonly warnings: readonly string[];
}

const MAIN = 'dmabroker.conf';
const DROP_INS = 'dmabroker.conf.d';
/** First the local administrator's, last the vendor's. */
const DIRECTORIES = ['/etc/dmabroker', '/run/dmabroker', '/usr/local/lib/dmabroker', '/usr/lib/dmabroker'];
const VENDOR = '/usr/lib/dmabroker';

/**
 * Finds the policy files as systemd finds its own: the first main file, then the drop-ins of all directories by file
 * name; a file hides those of the same name in lesser directories, and one that is empty or a link to `/dev/null`
 * only hides them.
 */
export async function findPolicyFiles({ root, shipped }: PolicyPlaces): Promise<FoundFiles> {
  const warnings: string[] = [];
  const places = DIRECTORIES.map((directory) => new Place(root, directory, directory, warnings));
  if (shipped !== undefined && (await new Place(root, VENDOR, VENDOR, warnings).look(MAIN)) === 'absent') {
    places.push(new Place('/', resolve(shipped), basename(shipped), warnings));
  }

  const main = await firstOf(places, MAIN);
  const dropIns = new Map<string, PolicyPath | 'masked'>();
  for (const place of places) {
    for (const name of await place.list(DROP_INS)) {
      if (dropIns.has(name)) continue;
      const found = await place.look(posix.join(DROP_INS, name));
      if (found !== 'absent') dropIns.set(name, found);
    }
  }
  const sorted = [...dropIns].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const files = [main, ...sorted.map(([, file]) => file)].filter((file) => file !== 'masked');
  return { files, warnings };
}

async function firstOf(places: readonly Place[], name: string): Promise<PolicyPath | 'masked'> {
  for (const place of places) {
    const found = await place.look(name);
    if (found !== 'absent') return found;
  }
  return 'masked';
}

/** `EACCES` and the like; the message itself would show where the root is. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';

/** More links than this are a circle, as the kernel counts. */
const MOST_LINKS = 40;

/** A directory that may hold policy files. */
class Place {
  readonly #root: string;
  readonly #directory: string;
  readonly #shown: string;
  readonly #warnings: string[];

  constructor(root: string, directory: string, shown: string, warnings: string[]) {
    this.#root = root;
    this.#directory = directory;
    this.#shown = shown;
    this.#warnings = warnings;
  }

  /** Names of the drop-ins in a directory below; none when it is not there. */
  async list(directory: string): Promise<readonly string[]> {
    try {
      const names = await readdir(join(this.#root, this.#directory, directory));
      return names.filter((name) => name.endsWith('.conf') && !name.startsWith('.'));
    } catch (error) {
      this.#report(directory, error);
      return [];
    }
  }

  /** What stands under a name. What cannot be looked at hides nothing. */
  async look(name: string): Promise<PolicyPath | 'masked' | 'absent'> {
    const shown = posix.join(this.#shown, name);
    try {
      const target = await this.#follow(posix.join(this.#directory, name));
      if (target === '/dev/null') return 'masked';
      const path = join(this.#root, target);
      const stats = await lstat(path);
      if (stats.isFile()) return stats.size === 0 ? 'masked' : { name: shown, path };
      this.#warnings.push(`${shown}: not a file, ignored`);
    } catch (error) {
      this.#report(name, error);
    }
    return 'absent';
  }

  /** Where the links of a path end, without the root prefix: a link in an image means a place in that image. */
  async #follow(start: string): Promise<string> {
    let path = start;
    for (let links = 0; links < MOST_LINKS && path !== '/dev/null'; links += 1) {
      const real = join(this.#root, path);
      if (!(await lstat(real)).isSymbolicLink()) break;
      path = posix.resolve('/', posix.dirname(path), await readlink(real));
    }
    return path;
  }

  #report(name: string, error: unknown): void {
    const code = codeOf(error);
    if (code !== 'ENOENT')
      this.#warnings.push(`${posix.join(this.#shown, name)}: cannot be read (${code}), ignored`);
  }
}
