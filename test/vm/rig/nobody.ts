import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** User and group id of `nobody`, whom the machine gives the card and video nodes, as a seat would. */
export const NOBODY = 65_534;

/**
 * Runs a program of this directory as `nobody`.
 * @param program file name, without extension @param args handed to it
 * @returns the one value that it printed, as JSON
 */
export async function asNobody(program: string, args: unknown): Promise<unknown> {
  const file = fileURLToPath(new URL(`${program}.js`, import.meta.url));
  const child = spawn(process.execPath, [file, JSON.stringify(args)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    uid: NOBODY,
    gid: NOBODY,
  });
  const [out, complaints, code] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise((resolve) => child.once('exit', resolve)),
  ]);
  assert.equal(code, 0, complaints);
  return JSON.parse(out);
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
