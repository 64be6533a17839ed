import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';
import { connectDatagrams, listenForDatagrams, type DatagramSender } from '../kernel/datagram-socket.js';
import { KernelError } from '../kernel/errors.js';
import type { NamedFd } from '../ledger/persist/systemd-fd-store.js';
import { pause, within, type Later } from '../base/time.js';

/** Where the running daemon can be asked, and where it answers; no other user can reach the state directory. */
const ASKED = 'handover';
const ANSWERED = 'successor';

const QUESTION = 'hand over';
const PART = 'descriptors';
const END = 'end';
const THANKS = 'taken over';

/** Descriptors in one datagram; the kernel takes 253. */
const FDS_PER_DATAGRAM = 128;
/** Milliseconds that one side waits for the other, and between two tries when it has no room. */
const PEER_TIMEOUT_MS = 10_000;
const RETRY_DELAY_MS = 5;

export const A_SUCCESSOR_ASKED = 'a successor asked for what there is';

/** Lets a successor ask for what this daemon has, until it is disposed. */
export interface Successor extends Disposable {
  /** Settles when a successor asks. */
  readonly asked: Promise<typeof A_SUCCESSOR_ASKED>;
  /**
   * Gives it copies of the descriptors (borrowed).
   * @returns whether it has them all
   */
  give(fds: readonly NamedFd[], later: Later): Promise<boolean>;
}

/** @throws {KernelError} when the state directory takes no socket */
export function awaitSuccessor(directory: string): Successor {
  // Left by a daemon that was killed: the holder of the lock is alone here.
  rmSync(join(directory, ASKED), { force: true });
  const question = signal();
  const thanks = signal();
  const listening = listenForDatagrams(join(directory, ASKED), ({ text, fds }) => {
    closeAll(fds);
    if (text === QUESTION) question.give();
    if (text === THANKS) thanks.give();
  });
  return {
    asked: question.given.then(() => A_SUCCESSOR_ASKED),
    give: async (fds, later) => {
      try {
        using successor = connectDatagrams(join(directory, ANSWERED));
        for (let at = 0; at < fds.length; at += FDS_PER_DATAGRAM) {
          const part = fds.slice(at, at + FDS_PER_DATAGRAM);
          await say(successor, [PART, ...part.map(({ name }) => name)].join('\n'), part, later);
        }
        await say(successor, END, [], later);
        return await within(PEER_TIMEOUT_MS, thanks.given, later);
      } catch (error) {
        if (error instanceof KernelError) return false;
        throw error;
      }
    },
    [Symbol.dispose]: () => {
      listening[Symbol.dispose]();
    },
  };
}

/**
 * Asks the daemon that runs on this state directory for what it has, and waits for it.
 * @returns the descriptors by name, the caller's; undefined when no daemon runs there, or it does not answer
 */
export async function takeOver(
  directory: string,
  later: Later,
): Promise<ReadonlyMap<string, OwnedFd> | undefined> {
  const received = new Map<string, OwnedFd>();
  const end = signal();
  rmSync(join(directory, ANSWERED), { force: true });
  using _listening = listenForDatagrams(join(directory, ANSWERED), ({ text, fds }) => {
    const [kind, ...names] = text.split('\n');
    if (kind === PART && names.length === fds.length)
      fds.forEach((fd, i) => received.set(names[i] ?? '', fd));
    else closeAll(fds);
    if (kind === END) end.give();
  });
  try {
    using predecessor = connectDatagrams(join(directory, ASKED));
    await say(predecessor, QUESTION, [], later);
    if (await within(PEER_TIMEOUT_MS, end.given, later)) {
      await say(predecessor, THANKS, [], later);
      return received;
    }
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
  closeAll(received.values());
  return undefined;
}

/** @throws {KernelError} when the other side is gone */
async function say(to: DatagramSender, text: string, fds: readonly NamedFd[], later: Later): Promise<void> {
  while (!to.send(text, fds)) await pause(RETRY_DELAY_MS, later);
}

function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}
