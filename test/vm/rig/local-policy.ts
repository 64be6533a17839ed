import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DIRECTORY = '/etc/dmabroker/dmabroker.conf.d';

/** An administrator's drop-in for the daemons that start until it is disposed of; the machine has no other. */
export function localPolicy(text: string): Disposable {
  mkdirSync(DIRECTORY, { recursive: true });
  const file = join(DIRECTORY, '60-test.conf');
  writeFileSync(file, text);
  return {
    [Symbol.dispose]: () => {
      rmSync(file);
    },
  };
}
