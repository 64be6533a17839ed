import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { MEMORY_CLASSES } from '../../dbus/names.js';

/** Puts an administrator's drop-in below a root, for the daemons that start with it as `--root`. */
export function writePolicy(root: string, text: string): void {
  const directory = join(root, 'etc/dmabroker/dmabroker.conf.d');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, '60-test.conf'), text);
}

/** Pools that keep no buffer ready, so that every descriptor and byte of the daemon's is somebody's. */
export const NOTHING_READY = MEMORY_CLASSES.map((memoryClass) => `[Pool ${memoryClass}]\nWarm=0\n`).join('');
