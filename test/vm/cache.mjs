// What is slow to make is kept outside of the checkout, under a key of everything that it is made from.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const home = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'dmabroker-vm');
const UNFINISHED = 'unfinished-';
const DAY = 86_400_000;
/** Milliseconds that something is kept after its last use; of something unfinished, after it was begun. */
const KEPT = { finished: 30 * DAY, unfinished: DAY };

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
  if (!existsSync(directory)) {
    mkdirSync(home, { recursive: true });
    prune();
    const unfinished = mkdtempSync(join(home, UNFINISHED));
    try {
      make(unfinished);
      publish(unfinished, directory);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  const now = new Date();
  utimesSync(directory, now, now);
  return directory;
}

/** Another checkout may have made the same meanwhile; then that one stays. */
function publish(unfinished, directory) {
  try {
    renameSync(unfinished, directory);
  } catch (error) {
    if (!existsSync(directory)) throw error;
  }
}

/** Removes what nobody has used for long, and what was left by somebody who did not get to its end. */
function prune() {
  for (const entry of readdirSync(home)) {
    const path = join(home, entry);
    const kept = entry.startsWith(UNFINISHED) ? KEPT.unfinished : KEPT.finished;
    if (Date.now() - statSync(path).mtimeMs > kept) rmSync(path, { recursive: true, force: true });
  }
}
