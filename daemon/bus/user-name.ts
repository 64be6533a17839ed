import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The name of a user, as far as /etc/passwd has it: other sources are asked by programs that may wait for a network.
 * @param root put before `/etc`
 */
export async function userName(uid: number, root: string): Promise<string | undefined> {
  try {
    return nameIn(await readFile(join(root, '/etc/passwd'), 'utf8'), uid);
  } catch {
    return undefined;
  }
}

/** The first name that a passwd(5) file has for this number. */
export function nameIn(text: string, uid: number): string | undefined {
  const wanted = String(uid);
  const line = text.split('\n').find((candidate) => candidate.split(':')[2] === wanted);
  const name = line?.split(':')[0];
  return name === '' ? undefined : name;
}

/**
 * Names of groups, as far as /etc/group has them: other sources of groups are asked by programs that may wait for a
 * network.
 * @param root put before `/etc`
 */
export async function groupNames(gids: readonly number[], root: string): Promise<readonly string[]> {
  if (gids.length === 0) return [];
  try {
    return namesIn(await readFile(join(root, '/etc/group'), 'utf8'), gids);
  } catch {
    return [];
  }
}

/** The names that a group(5) file has for these numbers; a number may have several. */
export function namesIn(text: string, gids: readonly number[]): readonly string[] {
  const wanted = new Set(gids.map(String));
  return text.split('\n').flatMap((line) => {
    const [name = '', , gid = ''] = line.split(':');
    return name !== '' && wanted.has(gid) ? [name] : [];
  });
}
