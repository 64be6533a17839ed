import assert from 'node:assert/strict';
import { fstatSync } from 'node:fs';

import type { Allocation, DmaBuffer } from '../../client/index.js';

/** What all clients together hold, kept by themselves: no buffer may be two owners'. */
export class Book {
  readonly #owners = new Map<bigint, string>();

  /** Bytes of memory behind everything that is held. */
  bytes = 0n;

  get buffers(): number {
    return this.#owners.size;
  }

  get inodes(): ReadonlySet<bigint> {
    return new Set(this.#owners.keys());
  }

  /** @throws {AssertionError} when somebody else has one of them */
  add({ path }: Allocation, buffers: readonly DmaBuffer[]): void {
    for (const { fd } of buffers) {
      const { ino, size } = fstatSync(fd.number, { bigint: true });
      assert.equal(
        this.#owners.get(ino),
        undefined,
        `${path} was given a buffer of ${this.#owners.get(ino)}`,
      );
      this.#owners.set(ino, path);
      this.bytes += size;
    }
  }

  /** Before the descriptors are closed. */
  remove({ buffers }: Allocation): void {
    for (const { fd } of buffers) {
      const { ino, size } = fstatSync(fd.number, { bigint: true });
      if (this.#owners.delete(ino)) this.bytes -= size;
    }
  }
}
