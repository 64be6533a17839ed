import { declare, errno } from '../../dbus/native/libc.js';
import { DmabrokerError } from '../errors.js';

/**
 * A file's bytes as JavaScript sees them, without a copy, and safely: when the window closes, every view of it has length
 * 0 at once. A view of foreign memory cannot promise that (nothing in JavaScript can detach it, and a view that outlives
 * its mapping ends the process), and memory from `new ArrayBuffer` can be moved to another thread while it is mapped.
 * The memory of a WebAssembly.Memory can do both: `grow` alone detaches all views, it never moves, and it is
 * whole pages of an anonymous mapping. So the file is mapped over those pages while the window is open.
 */
export class Window {
  readonly #memory: LinearMemory;
  readonly #length: number;

  /** @param length bytes @throws {DmabrokerError} NotMappable when there is no room for so much address space */
  constructor(length: number) {
    if (typeof WebAssembly === 'undefined')
      throw notMappable('this process runs without WebAssembly (--jitless)');
    const pages = Math.ceil(length / WASM_PAGE_BYTES);
    try {
      this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    } catch (cause) {
      throw notMappable(`no address space for ${length} bytes`, cause);
    }
    this.#length = length;
  }

  /** Maps the file (borrowed), shared and writable. @throws {DmabrokerError} NotMappable */
  async open(fd: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.#map(MAP_SHARED, fd);
    return new Uint8Array(this.#memory.buffer, 0, this.#length);
  }

  /** Takes the bytes from every view, then lets the file go. */
  async close(): Promise<void> {
    this.#memory.grow(0);
    await this.#map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  }

  /** On the thread pool: mapping a large buffer takes milliseconds. */
  async #map(flags: number, fd: number): Promise<void> {
    const { buffer } = this.#memory;
    await new Promise<void>((resolve, reject) => {
      const done = (error: unknown, address: unknown): void => {
        const number = errno();
        if (error !== null) reject(notMappable('mmap could not be called', error));
        else if (address === MAP_FAILED) reject(notMappable(`mmap failed (errno ${number})`));
        else resolve();
      };
      mmap.async(buffer, this.#length, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0, done);
    });
  }
}

interface LinearMemory {
  /** The same bytes in a new ArrayBuffer after every `grow`. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Node has it; TypeScript knows it only from the browser's library. */
declare const WebAssembly:
  { readonly Memory: new (shape: { initial: number; maximum: number }) => LinearMemory } | undefined;
const WASM_PAGE_BYTES = 65_536;

const mmap = declare(
  'intptr_t mmap(void *address, size_t length, int protection, int flags, int fd, long offset)',
);
const MAP_FAILED = -1;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;

const notMappable = (why: string, cause?: unknown): DmabrokerError =>
  new DmabrokerError('NotMappable', `the buffer cannot be mapped: ${why}`, { cause });
