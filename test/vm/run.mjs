// `npm run test:vm`: boots the machine, shows each test as it ends, and closes with `N passed, N failed`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { withMachine } from './machine.mjs';

let passed = 0;
let failed = 0;
let code;
const log = [];

function take(line) {
  if (line.startsWith('log ')) log.push(line.slice(4));
  else if (line.startsWith('exit ')) code = Number(line.slice(5));
  else if (line.startsWith('{')) show(JSON.parse(line));
}

function show({ name, ok, ms, error }) {
  if (ok) passed++;
  else failed++;
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name} (${Math.round(ms)} ms)\n${ok ? '' : `${error}\n`}`);
}

const serial = (directory) => ['-serial', `file:${join(directory, 'console')}`, '-serial', 'stdio'];
try {
  await withMachine({ append: '', serial, limited: true }, async (command, args, directory) => {
    process.stdout.write('booting\n');
    const machine = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(machine, 'close');
    for await (const line of createInterface(machine.stdout)) take(line.trimEnd());
    await closed;
    // A machine that ended early failed, however many tests had passed by then.
    if (code === undefined || (code !== 0 && failed === 0) || passed + failed === 0) {
      failed++;
      process.stdout.write(
        `the machine did not finish; its console:\n${readFileSync(join(directory, 'console'), 'utf8')}\n`,
      );
    }
  });
} catch (error) {
  failed++;
  process.stdout.write(`${error.message}\n`);
}
if (log.length > 0) process.stdout.write(`--- the daemon's log\n${log.join('\n')}\n---\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
