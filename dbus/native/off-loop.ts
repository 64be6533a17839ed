import { errno, type NativeFunction } from './libc.js';

/** What a C function returned, and errno as it left it. */
export interface Outcome {
  readonly result: unknown;
  readonly errno: number;
}

/**
 * Calls at once. The thread pool has four threads unless UV_THREADPOOL_SIZE says otherwise, and koffi refuses more than
 * 256 calls in one process, so that the waiting line is the process's too.
 */
const MAX_CALLS = 64;
const waiting: (() => void)[] = [];
let running = 0;

/**
 * Calls a C function on the thread pool: the event loop goes on meanwhile. Keep what the arguments point to alive; the
 * promise does so for those that it is given.
 */
export async function offLoop(call: NativeFunction, ...args: readonly unknown[]): Promise<Outcome> {
  if (running >= MAX_CALLS)
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  else running += 1;
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      call.async(...args, (error: Error | null, result: unknown) => {
        // koffi brings the worker's errno over to this thread, for as long as the callback runs.
        const number = errno();
        if (error === null) resolve({ result, errno: number });
        else reject(error);
      });
    });
  } finally {
    const next = waiting.shift();
    // The place goes to the longest waiting call, and is free when none waits.
    if (next === undefined) running -= 1;
    else next();
  }
}
