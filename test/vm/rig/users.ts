import assert from 'node:assert/strict';

import { run } from './run.js';

/** Two users of the machine's /etc/passwd who have nothing in common; each has a group of the same number. */
export const USERS = { attacker: 2001, victim: 2002 } as const;

export type User = keyof typeof USERS;

/** Runs a program of `rig/c/` as a user, and returns the lines that it printed. */
export async function runProgram(
  user: User,
  program: string,
  args: readonly string[],
): Promise<readonly string[]> {
  const id = USERS[user];
  const { code, out, complaints } = await run(`/bin/${program}`, args, { uid: id, gid: id });
  assert.equal(code, 0, complaints);
  return out.split('\n').filter((line) => line !== '');
}
