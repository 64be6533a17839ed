import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A recorded machine with scattered and contiguous memory. */
export const PROFILE = fileURLToPath(new URL('../fixtures/profiles/raspberry-pi-4.json', import.meta.url));
export const PROGRAM = fileURLToPath(new URL('../../dist/daemon/main.js', import.meta.url));

/** A directory of this test's own. */
export class TemporaryDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'dmabroker-test-'));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; an exit code is a result, not an error. @param timeout milliseconds */
export async function run(program: string, args: readonly string[], timeout = 20_000): Promise<Ran> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { timeout });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== 'number') throw error;
    return { code, stdout, stderr };
  }
}

export const runDaemon = (...args: readonly string[]): Promise<Ran> =>
  run(process.execPath, [PROGRAM, ...args]);
