// `npm run vm [-- --scenario NAME]`: a shell in the machine of the tests; `exit` powers it off.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';

import { machineCommand, withRoot } from './machine.mjs';
import { scenarioNamed } from './scenarios.mjs';

const { values: options } = parseArgs({ options: { scenario: { type: 'string', default: 'debian' } } });
const serial = [
  ...['-chardev', 'stdio,id=terminal,signal=off', '-serial', 'chardev:terminal'],
  ...['-serial', 'null'],
];
await withRoot(async (root) => {
  const scenario = scenarioNamed(options.scenario);
  const append = 'dmabroker.run=shell';
  const [command, ...args] = machineCommand(root, scenario, { append, serial, limited: false });
  const [exitCode] = await once(spawn(command, args, { stdio: 'inherit' }), 'close');
  process.exitCode = exitCode ?? 1;
});
