// `npm run vm`: a shell in the machine of the tests; `exit` powers it off.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { withMachine } from './machine.mjs';

const serial = () => [
  '-chardev',
  'stdio,id=terminal,signal=off',
  '-serial',
  'chardev:terminal',
  '-serial',
  'null',
];
await withMachine({ append: 'dmabroker.shell', serial, limited: false }, async (command, args) => {
  const [exitCode] = await once(spawn(command, args, { stdio: 'inherit' }), 'close');
  process.exitCode = exitCode ?? 1;
});
