#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { run } from './run.js';
import { EXIT } from './usage.js';

/** From where the build puts this file. */
const PACKAGE = new URL('../../../', import.meta.url);

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    stop.abort();
  });
}
for (const stream of [process.stdout, process.stderr]) {
  // Whoever reads has seen enough, as `head` does.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.refused);
  });
}

process.exitCode = await run({
  argv: process.argv.slice(2),
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  stop: stop.signal,
  version: packageVersion(),
  shipped: fileURLToPath(new URL('policy', PACKAGE)),
});

function packageVersion(): string {
  const text = readFileSync(new URL('package.json', PACKAGE), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
