// The time that everything in a package is of.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What SOURCE_DATE_EPOCH says (reproducible-builds.org), else when the last change was committed.
 * @param {string} checkout
 * @returns {number} seconds since 1970
 */
export function sourceTime(checkout) {
  const said = process.env['SOURCE_DATE_EPOCH'];
  if (said !== undefined) return Number(said);
  try {
    return Number(execFileSync('git', ['-C', checkout, 'log', '-1', '--format=%ct'], { encoding: 'utf8' }));
  } catch {
    // No repository, as in a tarball, whose files have the times that they were packed with.
    return Math.floor(statSync(join(checkout, 'package.json')).mtimeMs / 1000);
  }
}
