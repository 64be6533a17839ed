import { mem } from 'systeminformation/lib/memory.js';

/**
 * Bytes of RAM. Of the library only the part about memory is loaded, which reads /proc/meminfo: others start programs.
 */
export const sizeOfRam = async (): Promise<number> => (await mem()).total;
