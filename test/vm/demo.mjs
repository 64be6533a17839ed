// `npm run demo:vm`: boots the machine of the tests, shows on its display what its camera captures, and leaves the last
// frame, as the display had it, as a PNG.
import { copyFileSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { boot } from './boot.mjs';
import { withRoot } from './machine.mjs';
import { scenarioNamed } from './scenarios.mjs';

const PICTURE = 'dmabroker-demo.png';
const say = (text) => process.stdout.write(`${text}\n`);

try {
  await withRoot(async (root) => {
    say('Booting a virtual machine (Linux 6.12, emulated) with a camera, vivid, and a display, vkms.');
    const machine = await boot(root, scenarioNamed('debian'), { append: 'dmabroker.run=demo', line: say });
    const file = join(machine.out, PICTURE);
    if (machine.code !== 0 || !existsSync(file))
      throw new Error(`the machine showed nothing\n${machine.log.join('\n')}\n${machine.console}`);
    copyFileSync(file, PICTURE);
    say(`The last frame, as the display had it: ${resolve(PICTURE)}`);
  });
} catch (error) {
  say(`demo:vm: ${error.message}`);
  process.exitCode = 1;
}
