import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** Bytes of a line of /proc/meminfo. */
export function meminfo(name: 'CmaTotal' | 'MemAvailable'): bigint {
  const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  assert(kib !== undefined, `/proc/meminfo has no ${name}`);
  return BigInt(kib) * 1024n;
}
