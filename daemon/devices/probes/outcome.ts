import { DupError } from '../../../dbus/owned-fd.js';
import { KernelError } from '../../kernel/errors.js';

/** What a step of a trial showed. */
export type Outcome =
  | { readonly is: 'accepted'; readonly source: string }
  | { readonly is: 'refused'; readonly source: string; readonly code: string }
  /** It says nothing of reach, and is for the log. */
  | { readonly is: 'unclear'; readonly why: string };

/**
 * Errnos of a shortage, of a device that is busy, and of rights that are missing. They say nothing of what the
 * device can reach: at another time, or for another process, the same call would succeed.
 */
const INCONCLUSIVE_ERRNOS: ReadonlySet<string> = new Set([
  ...['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EINTR', 'EAGAIN', 'EBUSY', 'EACCES', 'EPERM', 'ETIMEDOUT'],
]);

export const accepted = (call: string): Outcome => ({ is: 'accepted', source: `trial:${call}` });

/**
 * What a failure says. @param call as sources name it: `PRIME_FD_TO_HANDLE`
 * @throws whatever is no failure of the kernel's
 */
export function failed(call: string, error: unknown): Outcome {
  const reason = failureOf(error);
  if (reason === undefined) throw error;
  const { code, message } = reason;
  return INCONCLUSIVE_ERRNOS.has(code)
    ? { is: 'unclear', why: message }
    : { is: 'refused', source: `trial:${call}:${code}`, code };
}

/**
 * ENODEV is what some drivers say of a buffer, and every driver of a device that was unplugged meanwhile.
 * @param ask any call that a device that is there answers
 */
export function unlessGone(outcome: Outcome, ask: () => unknown): Outcome {
  if (outcome.is !== 'refused' || outcome.code !== 'ENODEV') return outcome;
  try {
    ask();
    return outcome;
  } catch (error) {
    if (failureOf(error) === undefined) throw error;
    return { is: 'unclear', why: 'the device is gone' };
  }
}

/** What the kernel said when it refused something; undefined of an error that is a mistake in the daemon itself. */
export function failureOf(error: unknown): { readonly code: string; readonly message: string } | undefined {
  if (error instanceof KernelError) return { code: error.code, message: error.message };
  // The process has no descriptor left.
  if (error instanceof DupError) return { code: 'EMFILE', message: error.message };
  return undefined;
}

/** Gives back what a trial made. When that fails, closing the node gives it back. */
export async function giveBack(release: () => Promise<unknown>): Promise<void> {
  try {
    await release();
  } catch (error) {
    if (failureOf(error) === undefined) throw error;
  }
}
