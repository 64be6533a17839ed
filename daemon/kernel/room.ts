import { constants } from 'node:os';

import { KernelError } from './errors.js';

/**
 * Refuses a size before the kernel sees it.
 * @param call that it was meant for
 * @param room bytes that there are
 * @throws {KernelError} ENOMEM
 */
export function requireRoom(call: string, size: bigint, room: bigint): void {
  if (size > room) throw new KernelError(call, constants.errno.ENOMEM);
}
