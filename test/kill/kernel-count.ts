import { readdirSync, readFileSync, statSync } from 'node:fs';

/**
 * Bytes of all dma-bufs that this process has open and that have more references than `ours`, as the kernel counts both
 * (`/proc/self/fdinfo`).
 * @param ours references of a buffer that no client has: the daemon's, and its keeper's copy
 */
export function dmaBufBytes(ours: number): bigint {
  const buffers = new Map<bigint, bigint>();
  for (const fd of readdirSync('/proc/self/fd')) {
    const info = textOf(`/proc/self/fdinfo/${fd}`);
    const [size, count] = [numberIn(info, 'size'), numberIn(info, 'count')];
    if (size === undefined || count === undefined || count <= BigInt(ours)) continue;
    buffers.set(statSync(`/proc/self/fd/${fd}`, { bigint: true }).ino, size);
  }
  return [...buffers.values()].reduce((sum, size) => sum + size, 0n);
}

/** The number behind the first line of that name. */
function numberIn(info: string, name: string): bigint | undefined {
  const [, digits] = new RegExp(`^${name}:\\s*(\\d+)$`, 'm').exec(info) ?? [];
  return digits === undefined ? undefined : BigInt(digits);
}

/** Empty for a descriptor that was closed meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
