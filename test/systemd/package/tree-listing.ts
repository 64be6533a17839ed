import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Everything below a directory that a package would keep of it, a line for each: mode, time, and contents or target. */
export function listTree(root: string): ReadonlyMap<string, string> {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return new Map(
    paths.map((path) => {
      const file = join(root, path);
      const { mode, mtimeMs } = lstatSync(file);
      const kind = mode & 0o170000;
      const contents =
        kind === SYMLINK ? readlinkSync(file) : kind === REGULAR ? readFileSync(file, 'base64') : '';
      return [path, `${mode.toString(8)} ${mtimeMs} ${contents}`];
    }),
  );
}

const SYMLINK = 0o120000;
const REGULAR = 0o100000;
