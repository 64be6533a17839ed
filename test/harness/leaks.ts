import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The descriptors a process has open, by number, each with what it points at. */
export function openFds(pid: number | 'self' = 'self'): ReadonlyMap<number, string> {
  const directory = `/proc/${pid}/fd`;
  const found = new Map<number, string>();
  for (const name of readdirSync(directory)) {
    try {
      found.set(Number(name), readlinkSync(`${directory}/${name}`));
    } catch {
      // Closed since the directory was read, as the one it was read with.
    }
  }
  return found;
}

export interface LeakOptions {
  readonly pid?: number;
  /** Milliseconds to wait for descriptors that are still being closed (5,000). */
  readonly within?: number;
}

/**
 * Waits until a process has no descriptor that `before` did not have.
 * @throws {Error} naming those that stay
 */
export async function expectNoNewFds(
  before: ReadonlyMap<number, string>,
  { pid, within = 5000 }: LeakOptions = {},
): Promise<void> {
  const end = Date.now() + within;
  for (;;) {
    const leaked = [...openFds(pid)].filter(([fd, target]) => before.get(fd) !== target);
    if (leaked.length === 0) return;
    if (Date.now() > end)
      throw new Error(`leaked: ${leaked.map(([fd, target]) => `${fd} -> ${target}`).join(', ')}`);
    await nextTurn();
  }
}
