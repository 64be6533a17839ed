import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { BrokerError } from '../../dbus/errors.js';

/**
 * The machine's id (machine-id(5)), 32 hexadecimal digits.
 * @param root put before `/etc`
 * @throws {BrokerError} Unavailable where there is none, as in an image that was never started
 */
export async function machineId(root: string): Promise<string> {
  try {
    const id = (await readFile(join(root, '/etc/machine-id'), 'utf8')).trim();
    if (/^[0-9a-f]{32}$/.test(id)) return id;
  } catch (cause) {
    throw new BrokerError('Unavailable', 'this machine has no readable machine id', { cause });
  }
  throw new BrokerError('Unavailable', 'this machine has no valid machine id');
}
