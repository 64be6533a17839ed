import type { OwnedFd } from '../dbus/owned-fd.js';
import { boolean, callable, invalid, record } from './check.js';
import { DmabrokerError } from './errors.js';
import { withSync, type CpuUse } from './memory/sync.js';
import { Window } from './memory/window.js';
import type { Layout } from './model.js';

/** One buffer of an allocation. */
export class DmaBuffer {
  /**
   * The dma-buf. The allocation's release closes it; `fd.number` lends it for a call, `fd.dup()` makes one that lives
   * longer, `fd.release()` gives it away.
   */
  readonly fd: OwnedFd;
  readonly #layout: Layout;
  /** Address space of the last `map`, kept for the next. */
  #spare: Window | undefined;

  constructor(fd: OwnedFd, layout: Layout) {
    this.fd = fd;
    this.#layout = layout;
  }

  /** Bytes. */
  get size(): bigint {
    return this.#layout.size;
  }

  /**
   * Lends the buffer's bytes to a function, without a copy. They are mapped, and synchronised with the devices, before it
   * is called and until what it returns has settled; after that `bytes` has length 0. Without `write`, do not write: the
   * bytes are shared, but without a promise when devices see the change.
   *
   * @example
   * ```ts
   * import { connect } from 'dmabroker';
   *
   * await using broker = await connect();
   * await using allocation = await broker.allocate(
   *   [{ device: 'cpu', uses: ['read', 'write'] }],
   *   { width: 64, height: 64, format: 'XR24' },
   * );
   * const [buffer] = allocation.buffers;
   * await buffer?.map({ write: true }, (bytes) => bytes.fill(0xff));
   * const first = await buffer?.map({ read: true }, (bytes) => bytes[0]);
   * console.log(first); // 255
   * ```
   * @throws {DmabrokerError} NotMappable, and InvalidRequest when it says neither `read` nor `write`
   */
  async map<T>(cpu: CpuUse, use: (bytes: Uint8Array<ArrayBuffer>) => T | Promise<T>): Promise<T> {
    callable(use, 'use');
    checkCpuUse(cpu);
    if (this.#layout.cpuAccess === 'none')
      throw new DmabrokerError('NotMappable', 'no CPU reaches this memory');
    // A copy, so that releasing the allocation meanwhile leaves this scope its file.
    using fd = copyOf(this.fd);
    const window = this.#spare ?? new Window(Number(this.size));
    this.#spare = undefined;
    const bytes = await window.open(fd.number);
    try {
      return await withSync(fd.number, cpu, async () => use(bytes));
    } finally {
      await window.close();
      this.#spare = window;
    }
  }
}

function checkCpuUse(cpu: CpuUse): void {
  const { read = false, write = false } = record(cpu, 'cpu', ['read', 'write']);
  const isUsed = [boolean(read, 'cpu.read'), boolean(write, 'cpu.write')].includes(true);
  if (!isUsed) throw invalid('cpu', 'read, write or both must be true');
}

function copyOf(fd: OwnedFd): OwnedFd {
  try {
    return fd.dup();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DmabrokerError('NotMappable', `the buffer cannot be mapped: ${why}`, { cause });
  }
}
