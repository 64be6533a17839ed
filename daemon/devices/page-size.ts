import type { KernelFiles } from './sysfs.js';

const AUXV = '/proc/self/auxv';
const AT_NULL = 0n;
const AT_PAGESZ = 6n;
/** Of a tree that holds no process: the smallest page that any supported machine has. */
const SMALLEST = 4096n;

/** Bytes of a page, as the kernel told this process at its start. */
export async function readPageSize(files: KernelFiles): Promise<bigint> {
  const vector = (await files.bytes(AUXV)) ?? Buffer.alloc(0);
  return entry(vector, 8) ?? entry(vector, 4) ?? SMALLEST;
}

/** Pairs of two words, as long as a word of the process is; a vector read with the wrong length has no such entry. */
function entry(vector: Buffer, word: 4 | 8): bigint | undefined {
  const at = (offset: number): bigint =>
    word === 8 ? vector.readBigUInt64LE(offset) : BigInt(vector.readUInt32LE(offset));
  for (let i = 0; i + 2 * word <= vector.length; i += 2 * word) {
    const [key, value] = [at(i), at(i + word)];
    if (key === AT_PAGESZ && isPage(value)) return value;
    if (key === AT_NULL) return undefined;
  }
  return undefined;
}

const isPage = (size: bigint): boolean => size >= SMALLEST && size <= 65_536n && (size & (size - 1n)) === 0n;
