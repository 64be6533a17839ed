import { KernelError } from '../kernel/errors.js';

/** Whether a heap said that it has no such memory (a memfd's file system says ENOSPC). */
export const isOutOfMemory = (error: unknown): boolean =>
  error instanceof KernelError && (error.code === 'ENOMEM' || error.code === 'ENOSPC');
