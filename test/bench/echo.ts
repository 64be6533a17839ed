import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { endChild } from '../harness/private-bus.js';

/** Names on the bus of the services that do nothing but answer: `c/echo.c`, and `node-echo.ts`. */
export const ECHO = { c: 'dmabroker.bench.Echo', node: 'dmabroker.bench.NodeEcho' } as const;

/** The second one; the first is compiled (`compile.mjs`). */
export const NODE_ECHO = [process.execPath, fileURLToPath(new URL('node-echo.js', import.meta.url))] as const;

/**
 * Starts one, and waits until it is on the bus. The caller ends it.
 * @param command program and arguments
 * @throws {Error} when it ends before
 */
export async function startEcho(command: readonly string[], address: string): Promise<ChildProcess> {
  const [program = '', ...args] = command;
  const service = spawn(program, [...args, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(service, 'exit').then(() => {
    throw new Error(`${command.join(' ')} ended before it was on the bus`);
  });
  try {
    await Promise.race([once(createInterface(service.stdout), 'line'), ended]);
    return service;
  } catch (error) {
    if (service.pid !== undefined) await endChild(service);
    throw error;
  }
}
