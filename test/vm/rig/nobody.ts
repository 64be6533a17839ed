import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { run } from './run.js';

/** User and group id of `nobody`, whom the machine gives the card and video nodes, as a seat would. */
export const NOBODY = 65_534;

/**
 * Runs a program of this directory as `nobody`.
 * @param program file name, without extension @param args handed to it
 * @returns the one value that it printed, as JSON
 */
export async function asNobody(program: string, args: unknown): Promise<unknown> {
  const file = fileURLToPath(new URL(`${program}.js`, import.meta.url));
  const person = { uid: NOBODY, gid: NOBODY };
  const { code, out, complaints } = await run(process.execPath, [file, JSON.stringify(args)], person);
  assert.equal(code, 0, complaints);
  return JSON.parse(out);
}
