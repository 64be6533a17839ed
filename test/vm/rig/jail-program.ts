/**
 * Tries what a service that was broken into would try, and prints what became of each as JSON: `done`, or an errno. Run
 * with the paths that the test made for it.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

import { declare, errno } from '../../../dbus/native/libc.js';
import type { JailOptions } from './jail.js';

const socket = declare('int socket(int domain, int type, int protocol)');
const ptrace = declare('int64 ptrace(int request, int pid, void *address, void *data)');
const setuid = declare('int setuid(uint32_t uid)');

const [AF_INET, AF_INET6, AF_PACKET] = [2, 10, 17];
const [SOCK_STREAM, SOCK_DGRAM] = [1, 2];
const PTRACE_SEIZE = 0x4206;

const { device, directories, own, sibling } = JSON.parse(process.argv[2] ?? '') as JailOptions;

const called = (result: unknown): string => {
  if (Number(result) >= 0) return 'done';
  const number = errno();
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? String(number);
};
const tried = (attempt: () => void): string => {
  try {
    attempt();
    return 'done';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
};
const written = (directory: string): string =>
  tried(() => {
    const file = join(directory, 'jail');
    writeFileSync(file, 'x');
    rmSync(file);
  });

const results: Record<string, string> = {
  'open another device': tried(() => {
    closeSync(openSync(device, 'r+'));
  }),
  'an IPv4 socket': called(socket(AF_INET, SOCK_STREAM, 0)),
  'an IPv6 socket': called(socket(AF_INET6, SOCK_DGRAM, 0)),
  'a packet socket': called(socket(AF_PACKET, SOCK_DGRAM, 0)),
  'ptrace of a process of the same user': called(ptrace(PTRACE_SEIZE, sibling, null, null)),
  'a setuid file': tried(() => {
    const file = join(own, 'setuid');
    writeFileSync(file, 'x');
    try {
      chmodSync(file, 0o4755);
    } finally {
      rmSync(file);
    }
  }),
  'become root': called(setuid(0)),
  'write to its own directory': written(own),
};
for (const directory of directories) results[`write to ${directory}`] = written(directory);
// By a program of its own, because a process with threads cannot have one.
const { status, stderr } = spawnSync('unshare', ['--user', 'true'], { encoding: 'utf8' });
results['a new namespace'] = status === 0 ? 'done' : stderr.trim();
process.stdout.write(`${JSON.stringify(results)}\n`);
