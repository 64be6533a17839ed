import type { KernelFiles } from './sysfs.js';

export const MEMINFO = '/proc/meminfo';

/** Bytes by name (`CmaFree`). What is no line of numbers is passed over. */
export async function readMeminfo(files: KernelFiles): Promise<ReadonlyMap<string, bigint>> {
  const lines = ((await files.text(MEMINFO)) ?? '').matchAll(/^(\w+):\s+(\d{1,15}) kB$/gm);
  return new Map([...lines].map(([, name = '', kib = '0']) => [name, BigInt(kib) * 1024n]));
}
