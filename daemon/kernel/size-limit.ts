import { constants } from 'node:os';

import { KernelError } from './errors.js';

/**
 * Refuses a size before the kernel sees it.
 * @param call that it was meant for
 * @param most bytes that there are
 * @throws {KernelError} ENOMEM
 */
export function requireSizeWithin(call: string, size: bigint, most: bigint): void {
  if (size > most) throw new KernelError(call, constants.errno.ENOMEM);
}
