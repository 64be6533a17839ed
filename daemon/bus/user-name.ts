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
