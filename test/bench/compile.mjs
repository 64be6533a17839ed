// Compiles the C programs that measure, so that the service is measured and not a client in JavaScript.
import { execFileSync } from 'node:child_process';
import { basename, join } from 'node:path';
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
  return compileFile(fileURLToPath(new URL(`c/${name}.c`, import.meta.url)), directory);
}

/**
 * @param {string} source a C file
 * @param {string} directory where the program is put, under the name of the file
 * @returns {string} its path
 * @throws {Error} with one line that names what is missing
 */
export function compileFile(source, directory) {
  ensure(PACKAGES);
  const program = join(directory, basename(source, '.c'));
  // Not every program calls libsystemd; one that does not can run without it.
  const libraries = ['-Wl,--as-needed', '-lsystemd'];
  execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source, ...libraries], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return program;
}
