import { declare } from '../../dbus/native/libc.js';
import { repeat } from './ioctl.js';
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from './memory-structs.js';

const mmap = declare(
  'intptr_t mmap(void *address, size_t length, int protection, int flags, int fd, int64 offset)',
);
const munmap = declare('int munmap(uintptr_t address, size_t length)');

/** A mapping of a file for reading and writing. It makes no page present. */
export class Mapping implements Disposable {
  readonly address: bigint;
  readonly #size: bigint;

  /**
   * @param fd borrowed; the mapping outlives it
   * @param offset bytes, and size too
   * @throws {KernelError}
   */
  constructor(fd: number, offset: bigint, size: bigint, sharing: 'shared' | 'private' = 'shared') {
    const flags = sharing === 'shared' ? MAP_SHARED : MAP_PRIVATE;
    this.address = BigInt(repeat('mmap', mmap, null, size, PROT_READ | PROT_WRITE, flags, fd, offset));
    this.#size = size;
  }

  [Symbol.dispose](): void {
    repeat('munmap', munmap, this.address, this.#size);
  }
}
