import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

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
