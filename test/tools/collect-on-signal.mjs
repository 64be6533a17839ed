// Preloaded into a daemon under test: on SIGUSR2 it collects its garbage, so that what stays is what it holds on to.
import { writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
let times = 0;
process.on('SIGUSR2', async () => {
  // Finalizers run between two collections, and free what only they kept.
  collect();
  await nextTurn();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  times += 1;
  writeSync(1, `collected ${times}: ${heapUsed + external} bytes\n`);
});
