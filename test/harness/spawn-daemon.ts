import { spawn, type ChildProcess } from 'node:child_process';

import type { FdStore } from './fd-store.js';

/**
 * Starts Node.js with a service's environment: what the store keeps comes as descriptors (sd_listen_fds(3)).
 * @param args the program first
 * @param store who keeps the service's descriptors; nobody when undefined
 */
export function spawnDaemon(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  store: FdStore | undefined,
): ChildProcess {
  if (store === undefined) return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const kept = [...store.kept];
  const handed = kept.length === 0 ? {} : { LISTEN_FDS: String(kept.length) };
  const names = kept.map(([name]) => name).join(':');
  // The variable must name the process that gets the descriptors, which is known only in it.
  return spawn('/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', ...kept.map(([, fd]) => fd.number)],
    env: { ...env, NOTIFY_SOCKET: store.path, ...handed, ...(names !== '' && { LISTEN_FDNAMES: names }) },
  });
}
