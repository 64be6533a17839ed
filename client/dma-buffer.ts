import type { OwnedFd } from '../dbus/owned-fd.js';
import { boolean, callable, invalid, record } from './check.js';
import { DmabrokerError } from './errors.js';
import { withSync, type CpuUse } from './memory/sync.js';
import { Window } from './memory/window.js';
import { fdSizesOf, type Layout } from './model.js';

/** One buffer of an allocation. */
export class DmaBuffer {
  /**
   * The dma-buf; where the planes of the image have several (`planesApart`), the first. The allocation's release closes it;
   * `fd.number` lends it for a call, `fd.dup()` makes one that lives longer, `fd.release()` gives it away.
   */
  readonly fd: OwnedFd;
  /** All dma-bufs of the buffer: one, unless the layout has `planeFds`, which says which plane lies in which. */
  readonly fds: readonly OwnedFd[];
  readonly #layout: Layout;
  /** Address space of the last `map` of each, kept for the next. */
  readonly #spare: (Window | undefined)[] = [];

  /** @param others further dma-bufs of the buffer */
  constructor(fd: OwnedFd, layout: Layout, others: readonly OwnedFd[] = []) {
    this.fd = fd;
    this.fds = [fd, ...others];
    this.#layout = layout;
  }

  /** Bytes, of all its dma-bufs. */
  get size(): bigint {
    return this.#layout.size;
  }

  /**
   * Lends the buffer's bytes to a function, without a copy. They are mapped, and synchronised with the devices, before it
   * is called and until what it returns has settled; after that `bytes` has length 0. Without `write`, do not write: the
   * bytes are shared, but without a promise when devices see the change. Of a buffer with several dma-bufs, the function
   * gets the bytes of each, in the order of `fds`.
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
  async map<T>(
    cpu: CpuUse,
    use: (bytes: MappedBytes, ...others: MappedBytes[]) => T | Promise<T>,
  ): Promise<T> {
    callable(use, 'use');
    checkCpuUse(cpu);
    if (this.#layout.cpuAccess === 'none')
      throw new DmabrokerError('NotMappable', 'no CPU reaches this memory');
    const inside = async (first: MappedBytes, ...others: MappedBytes[]): Promise<T> => {
      const fd = this.fds[others.length + 1];
      if (fd === undefined) return use(first, ...others);
      return this.#mapOne(others.length + 1, fd, cpu, (bytes) => inside(first, ...others, bytes));
    };
    return this.#mapOne(0, this.fd, cpu, inside);
  }

  async #mapOne<T>(
    index: number,
    of: OwnedFd,
    cpu: CpuUse,
    use: (bytes: MappedBytes) => Promise<T>,
  ): Promise<T> {
    // A copy, so that releasing the allocation meanwhile leaves this scope its file.
    using fd = copyOf(of);
    const window = this.#spare[index] ?? new Window(Number(fdSizesOf(this.#layout)[index]));
    this.#spare[index] = undefined;
    const bytes = await window.open(fd.number);
    try {
      return await withSync(fd.number, cpu, async () => use(bytes));
    } finally {
      await window.close();
      this.#spare[index] = window;
    }
  }
}

/** Buffers of these descriptors, which stand one after the other for each. */
export function buffersOf(fds: readonly OwnedFd[], layout: Layout): DmaBuffer[] {
  const each = fdSizesOf(layout).length;
  return fds.flatMap((fd, index) =>
    index % each === 0 ? [new DmaBuffer(fd, layout, fds.slice(index + 1, index + each))] : [],
  );
}

/** A dma-buf's memory as `map` passes it: not shared with other arrays, and invalid after the call. */
export type MappedBytes = Uint8Array<ArrayBuffer>;

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
