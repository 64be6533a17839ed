import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { PoolTools } from './tools.js';

/**
 * Makes a buffer that came back as good as a fresh one: nobody else has it, it bears no label, and every byte is zero.
 * Whoever it was given to may have labelled it too.
 * @returns false when that cannot be had or told; the buffer is then not to be used again
 */
export async function makeClean(
  { number: fd }: OwnedFd,
  { buffers, gate, inUse }: Pick<PoolTools, 'buffers' | 'gate' | 'inUse'>,
): Promise<boolean> {
  try {
    // From here on nobody gets hold of it, so that it stays as it is cleared.
    if (inUse(fd)) return false;
    buffers.setName(fd, '');
    await gate.run(() => buffers.clear(fd));
    return true;
  } catch {
    return false;
  }
}
