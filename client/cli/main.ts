#!/usr/bin/env node
import { existsSync } from 'node:fs';

import { SHIPPED_POLICY, VERSION } from '../../dbus/installed.js';
import { run } from './run.js';
import { EXIT } from './usage.js';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    stop.abort();
  });
}
for (const stream of [process.stdout, process.stderr]) {
  // The reader has seen enough, as `head` does.
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
  version: VERSION,
  hasSystemd: existsSync('/run/systemd/system'),
  shipped: SHIPPED_POLICY,
});
