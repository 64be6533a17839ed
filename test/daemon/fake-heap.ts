import {
  type BigIntStats,
  fstatSync,
  ftruncateSync,
  readdirSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';

import { declare } from '../../dbus/native/libc.js';
import { DupError, OwnedFd } from '../../dbus/owned-fd.js';
import type { Heap } from '../../daemon/heaps/heap.js';
import { KernelError } from '../../daemon/kernel/errors.js';
import type { PinOutcome } from '../../daemon/kernel/page-pins.js';
import type { DmaBufCalls, PressureCalls } from '../../daemon/kernel/kernel.js';

export const PAGE = 4096n;

const ERRNO = { ENOMEM: 12, EMFILE: 24, EINVAL: 22 } as const;
export type Fault = keyof typeof ERRNO;
export const fault = (code: Fault): KernelError => new KernelError('FAKE_ALLOC', ERRNO[code]);

/** A kernel heap for fault injection: every buffer is a file without a name, so that its descriptors are real ones. */
export class FakeHeap implements Heap {
  readonly id: string;
  readonly countsReferences: boolean;
  readonly lending: Heap['lending'];
  follow: Heap['follow'] = undefined;
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
  /** Buffers that were made. */
  made = 0;
  /** By descriptor, the last that had that number. */
  readonly #buffers = new Map<number, OwnedFd>();

  constructor(id: string, countsReferences = true) {
    this.id = id;
    this.countsReferences = countsReferences;
    this.lending = countsReferences ? undefined : this.#lends();
  }

  #lends(): Heap['lending'] {
    return {
      lend: (fd) => {
        const buffer = this.#buffers.get(fd);
        if (buffer === undefined) throw new Error(`the heap ${this.id} lends what it did not make`);
        return buffer.dup();
      },
      isLent: (fd) => descriptorsOf(fd) > 1,
      empty: () => Promise.resolve(),
    };
  }

  async allocate(size: bigint): Promise<OwnedFd> {
    if (this.closed) throw new Error(`the heap ${this.id} was used after it was closed`);
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    try {
      await new Promise<void>((resolve) => {
        if (this.holdsBack) this.waiting.push(resolve);
        else setImmediate(resolve);
      });
      const code = this.faults.shift();
      if (code !== undefined) throw fault(code);
      this.made += 1;
      const number = emptyFile(((size + PAGE - 1n) / PAGE) * PAGE);
      const isLast = this.lastDescriptorIn === 0;
      if (this.lastDescriptorIn !== undefined)
        this.lastDescriptorIn = isLast ? undefined : this.lastDescriptorIn - 1;
      const fd = isLast ? new LastFd(number) : new OwnedFd(number);
      this.#buffers.set(number, fd);
      return fd;
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
    if (this.running > 0) throw new Error(`the heap ${this.id} was closed while it was used`);
    this.closed = true;
  }
}

class LastFd extends OwnedFd {
  override dup(): never {
    throw new DupError(ERRNO.EMFILE);
  }
}

const memfdCreate = declare('int memfd_create(const char *name, unsigned int flags)');
const MFD_CLOEXEC = 1;

/** A file without a name; its inode is never another's, as that of a dma-buf is not. */
function emptyFile(size: bigint): number {
  const fd = memfdCreate('fake-heap', MFD_CLOEXEC) as number;
  ftruncateSync(fd, Number(size));
  return fd;
}

export type FailingCall = 'setName' | 'size' | 'references' | 'signalled' | 'clear' | 'pinFirstPage';

/** The calls on buffers, answered from the files behind FakeHeap; a reference is a descriptor of this process. */
export class FakeDmaBuf implements DmaBufCalls {
  readonly names = new Map<bigint, string>();
  /** Thrown by the next call of that name. */
  readonly fail = new Set<FailingCall>();
  /** Inodes of the buffers on which a device still works. */
  readonly busy = new Set<bigint>();
  looks = 0;

  setName(dmaBuf: number, label: string): void {
    this.#mayFail('setName');
    this.names.set(this.inode(dmaBuf), label);
  }

  references(dmaBuf: number): number {
    this.looks += 1;
    this.#mayFail('references');
    return descriptorsOf(dmaBuf);
  }

  signalled(dmaBuf: number): boolean {
    this.#mayFail('signalled');
    return !this.busy.has(this.inode(dmaBuf));
  }

  /** What a pipe that pinned a page is said to show. */
  pins: PinOutcome = 'refused';

  pinFirstPage(): PinOutcome {
    this.#mayFail('pinFirstPage');
    return this.pins;
  }

  inode(fd: number): bigint {
    return fstatSync(fd, { bigint: true }).ino;
  }

  size(fd: number): bigint {
    this.#mayFail('size');
    return fstatSync(fd, { bigint: true }).size;
  }

  async clear(dmaBuf: number): Promise<void> {
    const { size } = fstatSync(dmaBuf);
    await new Promise((resolve) => setImmediate(resolve));
    this.#mayFail('clear');
    writeSync(dmaBuf, Buffer.alloc(size), 0, undefined, 0);
  }

  /** Whether every byte of a buffer is 0. */
  isZero(fd: number): boolean {
    const bytes = Buffer.alloc(fstatSync(fd).size, 1);
    readSync(fd, bytes, 0, bytes.length, 0);
    return bytes.every((byte) => byte === 0);
  }

  #mayFail(call: FailingCall): void {
    if (this.fail.delete(call)) throw fault('EINVAL');
  }
}

/** Descriptors of this process for the same buffer. */
function descriptorsOf(fd: number): number {
  const { ino } = fstatSync(fd, { bigint: true });
  return buffersOpen().filter((open) => open === ino).length;
}

/** Inode of every descriptor of this process that is a file without a name: buffers, and nothing else. */
export const buffersOpen = (): readonly bigint[] => openFiles().map(({ ino }) => ino);

/** Bytes behind those of them that count, each once. */
export const bufferBytesOpen = (counts: (inode: bigint) => boolean = () => true): bigint =>
  [...new Map(openFiles().map(({ ino, size }) => [ino, size]))].reduce(
    (sum, [inode, size]) => (counts(inode) ? sum + size : sum),
    0n,
  );

const openFiles = (): readonly BigIntStats[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    const stats = statSync(`/proc/self/fd/${fd}`, { bigint: true, throwIfNoEntry: false });
    return stats?.isFile() === true && stats.nlink === 0n ? [stats] : [];
  });

/** A machine with as much memory as a test says. */
export class FakePressure implements PressureCalls {
  total = 1n << 30n;
  available = 1n << 30n;
  /** Microseconds. */
  waitedFor = 0;
  /** Whether the kernel tells of pressure by itself. */
  tells = true;
  fails = false;
  /** Times that somebody looked. */
  looks = 0;
  readonly #told = new Set<() => void>();

  memory(): { total: bigint; available: bigint } {
    this.looks += 1;
    if (this.fails) throw fault('EINVAL');
    return { total: this.total, available: this.available };
  }

  waited(): number {
    if (this.fails) throw fault('EINVAL');
    return this.waitedFor;
  }

  watch(pressed: () => void): Disposable {
    if (!this.tells) throw fault('EINVAL');
    this.#told.add(pressed);
    return { [Symbol.dispose]: () => void this.#told.delete(pressed) };
  }

  /** Whether anybody is told. */
  get watched(): boolean {
    return this.#told.size > 0;
  }

  press(): void {
    for (const pressed of this.#told) pressed();
  }
}
