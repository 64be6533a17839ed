// What is slow to make is kept outside of the checkout, under a key of everything that it is made from.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const home = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'dmabroker-vm');

/**
 * @param {string} name of the thing
 * @param {readonly (string | Buffer)[]} parts all that it depends on
 * @param {(directory: string) => void} make fills the directory
 * @returns {string} the directory, whole
 */
export function cached(name, parts, make) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  const directory = join(home, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(directory)) return directory;
  mkdirSync(home, { recursive: true });
  const unfinished = mkdtempSync(join(home, 'unfinished-'));
  try {
    make(unfinished);
    renameSync(unfinished, directory);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return directory;
}
