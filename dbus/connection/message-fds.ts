import { closeAll, OwnedFd } from '../owned-fd.js';
import { isList } from '../wire-read.js';
import { Prepared } from './prepared.js';
import type { ReceivedFds, WireValue } from './bus-types.js';

/** The fds of a received message, until each has an owner. */
export class MessageFds implements ReceivedFds {
  readonly count: number;
  readonly #fds: (OwnedFd | undefined)[];

  /** Takes the fds. */
  constructor(fds: readonly OwnedFd[]) {
    this.count = fds.length;
    this.#fds = fds.length === 0 ? NONE : [...fds];
  }

  take(index: number): OwnedFd {
    const fd = this.#fds[index];
    if (fd === undefined)
      throw new RangeError(`the message has no file descriptor ${index}, or it was taken`);
    this.#fds[index] = undefined;
    return fd;
  }

  takeAll(): OwnedFd[] {
    return this.#fds.splice(0).filter((fd) => fd !== undefined);
  }

  /** Closes what was not taken; later, there is nothing to take. */
  closeRest(): void {
    if (this.#fds.length === 0) return;
    closeAll(this.takeAll());
  }
}

/** Closes every OwnedFd in values that were not sent. */
export function closeFdsIn(values: readonly WireValue[]): void {
  const found: OwnedFd[] = [];
  collect(values, found);
  closeAll(found);
}

function collect(value: WireValue, found: OwnedFd[]): void {
  if (value instanceof Prepared) return;
  if (value instanceof OwnedFd) found.push(value);
  else if (isList(value)) for (const item of value) collect(item, found);
  else if (typeof value === 'object') collect(value.value, found);
}

/** Shared by all messages without: nothing is ever put there. */
const NONE: (OwnedFd | undefined)[] = [];
