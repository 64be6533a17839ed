// Tells whether a build is to be tried without a network: it takes minutes, and a network namespace of its own.
import { spawnSync } from 'node:child_process';

export const mayBuildOffline = () =>
  (process.env['REQUIRE_ALL_TOOLS'] ?? '') !== '' &&
  spawnSync('unshare', ['--map-root-user', '--net', 'true']).status === 0;
