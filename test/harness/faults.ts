import { constants } from 'node:os';

import { KernelError } from '../../daemon/kernel/errors.js';
import type { DmaBufCalls, MemoryCalls } from '../../daemon/kernel/kernel.js';
import { memoryCalls } from '../../daemon/kernel/memory.js';
import { DupError, OwnedFd } from '../../dbus/owned-fd.js';

/** What a kernel says when it will not. */
export const REFUSALS = ['EMFILE', 'ENOMEM', 'EINTR', 'EAGAIN', 'EIO', 'ENODEV'] as const;

/** What happens at a call: the kernel refuses it, or the client leaves the bus just then. */
export type Mishap = (typeof REFUSALS)[number] | 'gone';

/** Counts the calls that reach an edge, and has some of them fail. */
export class Faults {
  #mishaps: ReadonlyMap<number, Mishap>;
  readonly #gone: () => void;
  readonly calls: string[] = [];

  /** @param mishaps by the number of the call, from 0 @param gone the client leaves */
  constructor(mishaps: ReadonlyMap<number, Mishap>, gone: () => void) {
    this.#mishaps = mishaps;
    this.#gone = gone;
  }

  /** From now on nothing fails. */
  end(): void {
    this.#mishaps = new Map();
  }

  /** @throws {KernelError} when this call is one that the kernel refuses */
  pass(call: string): void {
    const mishap = this.#mishaps.get(this.calls.push(call) - 1);
    if (mishap === 'gone') this.#gone();
    else if (mishap !== undefined) throw new KernelError(call, constants.errno[mishap]);
  }
}

/** A descriptor whose duplication can fail as any call can. */
class FaultyFd extends OwnedFd {
  readonly #faults: Faults;

  constructor(fd: OwnedFd, faults: Faults) {
    super(fd.release());
    this.#faults = faults;
  }

  override dup(): OwnedFd {
    try {
      this.#faults.pass('dup');
    } catch (error) {
      throw error instanceof KernelError ? new DupError(error.errno) : error;
    }
    return super.dup();
  }
}

/** The calls that make memory, over memfds of the real kernel. */
export function faultyMemory(faults: Faults): MemoryCalls {
  const make = async (call: string, size: bigint): Promise<OwnedFd> => {
    faults.pass(call);
    return new FaultyFd(await memoryCalls.createMemfd('faulty', size), faults);
  };
  return {
    openNode: () => memoryCalls.openNode('/dev/null'),
    createMemfd: (_name, size) => make('createMemfd', size),
    allocateDmaHeap: (_heap, size) => make('allocateDmaHeap', size),
    createUdmabuf: (_udmabuf, _memfd, size) => make('createUdmabuf', size),
    reopen: (fd, purpose) => {
      faults.pass('reopen');
      return new FaultyFd(memoryCalls.reopen(fd, purpose), faults);
    },
    isOpenElsewhere: (fd) => memoryCalls.isOpenElsewhere(fd),
    freePages: (fd, size) => memoryCalls.freePages(fd, size),
    map: (fd, offset, size) => memoryCalls.map(fd, offset, size),
  };
}

/** The calls on buffers, over others. */
export function faultyDmaBuf(faults: Faults, calls: DmaBufCalls): DmaBufCalls {
  const passing =
    <Rest extends readonly unknown[], Result>(name: string, call: (fd: number, ...rest: Rest) => Result) =>
    (fd: number, ...rest: Rest): Result => {
      faults.pass(name);
      return call(fd, ...rest);
    };
  return {
    setName: passing('setName', (fd, label: string) => {
      calls.setName(fd, label);
    }),
    references: passing('references', (fd) => calls.references(fd)),
    signalled: passing('signalled', (fd) => calls.signalled(fd)),
    inode: passing('inode', (fd) => calls.inode(fd)),
    size: passing('size', (fd) => calls.size(fd)),
    pinFirstPage: passing('pinFirstPage', (fd, sharing: 'shared' | 'private') =>
      calls.pinFirstPage(fd, sharing),
    ),
    clear: async (fd) => {
      faults.pass('clear');
      await calls.clear(fd);
    },
  };
}
