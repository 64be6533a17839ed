import { setTimeout as after } from 'node:timers/promises';

import { DmabrokerError, type DmabrokerErrorCode } from '../errors.js';
import type { WaitedToken } from '../negotiation.js';
import type { Party } from '../party.js';
import type { PartyBuffers } from '../party-buffers.js';
import type { Context } from './verb.js';

/** Milliseconds between two looks at who is waited for; the broker tells a party of its own state only. */
const LOOK_AGAIN_MS = 500;

/**
 * Waits for the buffers of a party, and says meanwhile who is waited for.
 * @returns undefined when the person wants to end
 * @throws {DmabrokerError} with what to do about it
 */
export async function awaitBuffers(party: Party, context: Context): Promise<PartyBuffers | undefined> {
  const done = new AbortController();
  const buffers = party.buffers();
  const progress = tellProgress(party, context, AbortSignal.any([context.stop, done.signal]));
  const stopped = new Promise<undefined>((resolve) => {
    const end = (): void => {
      resolve(undefined);
    };
    if (context.stop.aborted) end();
    else context.stop.addEventListener('abort', end, { once: true, signal: done.signal });
  });
  try {
    const came = await Promise.race([buffers, stopped]);
    // They come later than wanted, or not at all.
    if (came === undefined) void buffers.then((late) => late.release()).catch(() => undefined);
    return came;
  } catch (error) {
    throw withAdvice(error);
  } finally {
    done.abort();
    await progress;
  }
}

/** Never rejects: what stands in the way is what the buffers say. */
async function tellProgress(party: Party, { warn }: Context, signal: AbortSignal): Promise<void> {
  let said = '';
  try {
    for (;;) {
      await after(LOOK_AGAIN_MS, undefined, { signal });
      const text = waitingText((await party.explain()).waiting);
      if (text !== said && !signal.aborted) warn(text);
      said = text;
    }
  } catch {
    // It is over, or the buffers are there.
  }
}

/** `Waiting for viewer (token unused), party 2 (needs not said).` */
export function waitingText(waiting: readonly WaitedToken[]): string {
  if (waiting.length === 0) return 'Waiting for other parties.';
  const each = waiting.map(
    ({ label, state, party }) =>
      `${label === '' ? `party ${party}` : label} (${state === 'unused' ? 'token unused' : 'needs not said'})`,
  );
  return `Waiting for ${each.join(', ')}.`;
}

/** What a person can do when nothing came of it. */
const ADVICE: Partial<Record<DmabrokerErrorCode, string>> = {
  TimedOut: 'Use each token within the deadline, or invite with --invite may those that can be left out.',
  UnknownToken:
    'A token works once, for the user that it was made for, and until the deadline: ask for another one.',
  NotChosen: 'The buffers do not suit these needs; name other devices with --or, or ask for less.',
  Conflict: 'Leave one of these needs out, or name other devices with --or.',
  TooManyAlternatives: 'Name fewer devices with --or.',
};

/** The same error, with what to do next. */
export function withAdvice(error: unknown): unknown {
  if (!(error instanceof DmabrokerError)) return error;
  const { code, message, conflict, cause } = error;
  const advice = ADVICE[code];
  return advice === undefined ? error : new DmabrokerError(code, `${message} ${advice}`, { conflict, cause });
}
