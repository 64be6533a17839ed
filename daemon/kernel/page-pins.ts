import { readSync } from 'node:fs';
import { constants } from 'node:os';

import { declare } from '../../dbus/native/libc.js';
import { OwnedFd } from '../../dbus/owned-fd.js';
import { KernelError } from './errors.js';
import { repeat } from './ioctl.js';
import { Mapping } from './mapping.js';
import { O_CLOEXEC } from './open-node.js';

const pipe2 = declare('int pipe2(void *ends, int flags)');
const vmsplice = declare('int64 vmsplice(int fd, void *vectors, size_t count, unsigned int flags)');
const write = declare('int64 write(int fd, uintptr_t from, size_t length)');
const read = declare('int64 read(int fd, uintptr_t to, size_t length)');

/** fcntl.h */
const SPLICE_F_NONBLOCK = 2;
/** Bytes that are compared. */
const SAMPLE_BYTES = 64;
/** Bytes: one page on every supported machine, or part of one. */
const MAPPED_BYTES = 4096n;

/** What became of a page that a pipe was to keep beyond its mapping. */
export type PinOutcome = 'refused' | 'kept' | 'not kept';

/**
 * Plays a former holder of a buffer that the caller made for this: it has a pipe pin the first page of a mapping
 * (vmsplice(2)), unmaps it, writes something else through a new mapping, and looks whether the pipe shows that. The kernel
 * refuses to pin what is mapped without page structures (VM_PFNMAP), by whatever call: vmsplice stands for O_DIRECT,
 * io_uring's fixed buffers, RDMA and the others (get_user_pages in mm/gup.c).
 * @param random /dev/urandom, open; borrowed like `dmaBuf`
 * @throws {KernelError} for every failure but EFAULT, and EINVAL of a private mapping, which are refusals
 */
export function pinFirstPage(dmaBuf: number, sharing: 'shared' | 'private', random: number): PinOutcome {
  const [pinned, copied] = [new Pipe(), new Pipe()];
  try {
    if (!pin(dmaBuf, sharing, pinned.input)) return 'refused';
    const now = overwrite(dmaBuf, random, copied);
    return pinned.read().equals(now) ? 'kept' : 'not kept';
  } finally {
    pinned[Symbol.dispose]();
    copied[Symbol.dispose]();
  }
}

function pin(dmaBuf: number, sharing: 'shared' | 'private', pipe: number): boolean {
  const mapping = mapped(dmaBuf, sharing);
  if (mapping === undefined) return false;
  using _until = mapping;
  const vector = Buffer.from(BigUint64Array.of(mapping.address, MAPPED_BYTES).buffer);
  try {
    repeat('vmsplice', vmsplice, pipe, vector, 1, SPLICE_F_NONBLOCK);
    return true;
  } catch (error) {
    if (error instanceof KernelError && error.errno === constants.errno.EFAULT) return false;
    throw error;
  }
}

/** Some exporters refuse to be mapped privately at all, which leaves nothing to pin. */
function mapped(dmaBuf: number, sharing: 'shared' | 'private'): Mapping | undefined {
  try {
    return new Mapping(dmaBuf, 0n, MAPPED_BYTES, sharing);
  } catch (error) {
    const isRefusal = error instanceof KernelError && error.errno === constants.errno.EINVAL;
    if (isRefusal && sharing === 'private') return undefined;
    throw error;
  }
}

/** Writes random bytes at the start of the buffer. The kernel writes them, so that memory that is gone is an error. */
function overwrite(dmaBuf: number, random: number, copied: Pipe): Buffer {
  using mapping = new Mapping(dmaBuf, 0n, MAPPED_BYTES);
  repeat('read', read, random, mapping.address, SAMPLE_BYTES);
  repeat('write', write, copied.input, mapping.address, SAMPLE_BYTES);
  return copied.read();
}

class Pipe implements Disposable {
  readonly #output: OwnedFd;
  readonly #input: OwnedFd;

  constructor() {
    const ends = Buffer.alloc(2 * Int32Array.BYTES_PER_ELEMENT);
    repeat('pipe2', pipe2, ends, O_CLOEXEC);
    this.#output = new OwnedFd(ends.readInt32LE(0));
    this.#input = new OwnedFd(ends.readInt32LE(Int32Array.BYTES_PER_ELEMENT));
  }

  /** Borrowed. */
  get input(): number {
    return this.#input.number;
  }

  /** The first bytes in it. */
  read(): Buffer {
    const bytes = Buffer.alloc(SAMPLE_BYTES);
    readSync(this.#output.number, bytes, 0, SAMPLE_BYTES, null);
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#output.close();
    this.#input.close();
  }
}
