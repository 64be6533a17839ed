import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DupError, OwnedFd } from '../../dbus/owned-fd.js';
import type { Heap } from '../../daemon/heaps/heap.js';
import { KernelError } from '../../daemon/kernel/errors.js';
import type { DmaBufCalls } from '../../daemon/kernel/kernel.js';

export const PAGE = 4096n;

const ERRNO = { ENOMEM: 12, EMFILE: 24, EINVAL: 22 } as const;
export type Fault = keyof typeof ERRNO;
export const fault = (code: Fault): KernelError => new KernelError('FAKE_ALLOC', ERRNO[code]);

/** A kernel heap for fault injection: every buffer is an unlinked file, so that its descriptors are real ones. */
export class FakeHeap implements Heap {
  readonly id: string;
  readonly countsReferences: boolean;
  /** Taken from the front, one an allocation; `undefined` is a success, and so is every allocation after the last. */
  faults: (Fault | undefined)[] = [];
  /** Allocations that wait until they are let go. */
  readonly waiting: (() => void)[] = [];
  holdsBack = false;
  /** The buffer after so many more cannot be duplicated, as when the process has no descriptor left. */
  lastDescriptorIn: number | undefined;
  closed = false;
  running = 0;
  mostRunning = 0;

  constructor(id: string, countsReferences = true) {
    this.id = id;
    this.countsReferences = countsReferences;
  }

  async allocate(size: bigint): Promise<OwnedFd> {
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    try {
      await new Promise<void>((resolve) => {
        if (this.holdsBack) this.waiting.push(resolve);
        else setImmediate(resolve);
      });
      const code = this.faults.shift();
      if (code !== undefined) throw fault(code);
      const number = emptyFile(((size + PAGE - 1n) / PAGE) * PAGE);
      if (this.lastDescriptorIn === undefined) return new OwnedFd(number);
      const isLast = this.lastDescriptorIn === 0;
      this.lastDescriptorIn = isLast ? undefined : this.lastDescriptorIn - 1;
      return isLast ? new LastFd(number) : new OwnedFd(number);
    } finally {
      this.running -= 1;
    }
  }

  /** Lets everything go that is held back, and whatever comes after it. */
  letGo(): void {
    this.holdsBack = false;
    for (const go of this.waiting.splice(0)) go();
  }

  close(): void {
    this.closed = true;
  }
}

class LastFd extends OwnedFd {
  override dup(): never {
    throw new DupError(ERRNO.EMFILE);
  }
}

function emptyFile(size: bigint): number {
  const directory = mkdtempSync(join(tmpdir(), 'fake-heap-'));
  const fd = openSync(join(directory, 'buffer'), 'wx+');
  rmSync(directory, { recursive: true });
  try {
    ftruncateSync(fd, Number(size));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/** The calls on buffers, answered from the files behind FakeHeap; a reference is a descriptor of this process. */
export class FakeDmaBuf implements DmaBufCalls {
  readonly names = new Map<bigint, string>();
  /** Thrown by the next call of that name. */
  readonly fail = new Set<'setName' | 'size' | 'references'>();
  looks = 0;

  setName(dmaBuf: number, label: string): void {
    this.#mayFail('setName');
    this.names.set(this.inode(dmaBuf), label);
  }

  references(dmaBuf: number): number {
    this.looks += 1;
    this.#mayFail('references');
    const inode = this.inode(dmaBuf);
    return buffersOpen().filter((open) => open === inode).length;
  }

  inode(fd: number): bigint {
    return fstatSync(fd, { bigint: true }).ino;
  }

  size(fd: number): bigint {
    this.#mayFail('size');
    return fstatSync(fd, { bigint: true }).size;
  }

  async clear(dmaBuf: number): Promise<void> {
    writeSync(dmaBuf, Buffer.alloc(Number(this.size(dmaBuf))), 0, undefined, 0);
    return Promise.resolve();
  }

  #mayFail(call: 'setName' | 'size' | 'references'): void {
    if (this.fail.delete(call)) throw fault('EINVAL');
  }
}

/** Inode of every descriptor of this process that is a file without a name: buffers, and nothing else. */
export function buffersOpen(): readonly bigint[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    const stats = statSync(`/proc/self/fd/${fd}`, { bigint: true, throwIfNoEntry: false });
    return stats?.isFile() === true && stats.nlink === 0n ? [stats.ino] : [];
  });
}
