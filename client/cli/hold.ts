import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';

import type { Broker } from '../broker.js';
import type { Context } from './verb.js';

/**
 * Waits until the person has seen enough: so many seconds, or Ctrl-C, or the end of stdin.
 * @throws {DmabrokerError} NoBus when the connection ends meanwhile, and the allocation with it
 */
export async function untilEnough(
  { stdin, stop }: Context,
  broker: Broker,
  seconds: number | undefined,
): Promise<void> {
  const done = new AbortController();
  const signal = AbortSignal.any([stop, done.signal]);
  const gone = once(broker, 'closed', { signal }).then(([error]: unknown[]) => {
    throw error;
  });
  try {
    await Promise.race([
      gone,
      seconds === undefined ? endOf(stdin, signal) : after(seconds * 1000, undefined, { signal }),
    ]);
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    done.abort();
    await gone.catch(() => undefined);
  }
}

async function endOf(stdin: Context['stdin'], signal: AbortSignal): Promise<void> {
  stdin.resume();
  try {
    await once(stdin, 'end', { signal });
  } finally {
    stdin.destroy();
  }
}
