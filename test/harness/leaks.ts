/** The descriptors a process has open, by number, each with what it points at. */
export function openFds(pid: number | 'self' = 'self'): ReadonlyMap<number, string> {
  throw new Error(`not written yet: ${pid}`);
}

/** Waits until a process has no descriptor that `before` did not have; names those that stay. */
export async function expectNoNewFds(
  before: ReadonlyMap<number, string>,
  options: { readonly pid?: number; /** Milliseconds. */ readonly within?: number } = {},
): Promise<void> {
  await Promise.reject(new Error(`not written yet: ${before.size} ${String(options.pid)}`));
}
