// Compiles the C programs that measure, so that the service is measured and not a client in JavaScript.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ensure } from '../tools/ensure.mjs';

/** What the programs are compiled with, as Debian packages. */
export const PACKAGES = ['gcc', 'libsystemd-dev', 'linux-libc-dev'];

/**
 * @param {'load' | 'echo'} name of the program
 * @param {string} directory where it is put
 * @returns {string} its path
 * @throws {Error} with one line that names what is missing
 */
export function compile(name, directory) {
  ensure(PACKAGES);
  const source = fileURLToPath(new URL(`c/${name}.c`, import.meta.url));
  const program = join(directory, name);
  execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source, '-lsystemd'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return program;
}
