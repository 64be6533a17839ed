/** `npm run bench:compare -- A.json B.json`: how two runs of the bench differ. */
import { readFileSync } from 'node:fs';

import { comparison, type Run } from './figures.js';

const [before, after] = process.argv.slice(2);
if (before === undefined || after === undefined) {
  process.stderr.write('bench:compare: give two files that `npm run bench -- --json FILE` wrote\n');
  process.exitCode = 2;
} else {
  // Written by the bench itself.
  const read = (file: string): Run => JSON.parse(readFileSync(file, 'utf8')) as Run;
  process.stdout.write(`${comparison(read(before), read(after))}\n`);
}
