import { lstat, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';

/** More links than this are a circle, as the kernel counts. */
const MOST_LINKS = 40;

/** What a link leads to that hides a file and is none; in an image it need not be there. */
export const DEV_NULL = '/dev/null';

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
    if (links > MOST_LINKS) throw Object.assign(new Error(`${path}: too many links`), { code: 'ELOOP' });
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
