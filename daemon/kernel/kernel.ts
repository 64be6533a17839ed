import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { CameraCalls } from './camera.js';
import type { DrmCalls } from './drm.js';
import type { KernelError } from './errors.js';
import type { PinOutcome } from './page-pins.js';
import type { Uevent } from './uevent.js';
import type { V4l2Calls } from './v4l2.js';

/**
 * The kernel calls that the rooms above use, handed to them as values, so that a test can make any of them fail.
 * A `number` fd is borrowed. Every call throws or rejects with KernelError. Calls that clear or touch memory return a
 * promise and run on the thread pool; the others take microseconds.
 */
export interface Kernel {
  readonly memory: MemoryCalls;
  readonly dmaBuf: DmaBufCalls;
  readonly drm: DrmCalls;
  readonly v4l2: V4l2Calls;
  readonly uevents: UeventCalls;
  readonly pressure: PressureCalls;
  readonly camera: CameraCalls;
}

export interface MemoryCalls {
  /** Opens a device node (O_RDWR | O_CLOEXEC | O_NONBLOCK). */
  openNode(path: string): OwnedFd;
  /**
   * A zeroed memfd whose size is sealed (SHRINK | GROW | SEAL), its pages present. `size` in bytes, a multiple of the
   * page; ENOMEM for more than the memory that is free.
   */
  createMemfd(name: string, size: bigint): Promise<OwnedFd>;
  /** DMA_HEAP_IOCTL_ALLOC on an open heap; zeroed by the kernel. */
  allocateDmaHeap(heap: number, size: bigint): Promise<OwnedFd>;
  /** UDMABUF_CREATE over the whole memfd (sealed against shrinking). The memfd is borrowed, and may be closed after. */
  createUdmabuf(udmabuf: number, memfd: number, size: bigint): Promise<OwnedFd>;
  /** Opens a memfd (borrowed) once more, as a description of its own: the daemon's, or one for a client. */
  reopen(memfd: number, purpose: 'own' | 'lent'): OwnedFd;
  /**
   * Whether a memfd has another description than `own`, which `reopen` opened as the daemon's; undefined when it cannot be
   * told. Takes microseconds.
   */
  isOpenElsewhere(own: number): boolean | undefined;
  /** Gives the pages of a memfd back, which read as zeroes then. Bytes. */
  freePages(memfd: number, size: bigint): Promise<void>;
  /** Maps part of a file (borrowed), reading and writing, until it is disposed. Bytes. */
  map(fd: number, offset: bigint, size: bigint): Disposable;
}

export interface DmaBufCalls {
  /** Label shown by the kernel's tools (DMA_BUF_SET_NAME); at most 31 bytes, no control character. */
  setName(dmaBuf: number, label: string): void;
  /** `count` of /proc/self/fdinfo: references anywhere to the buffer, ours included (facts: first `count:` line only). */
  references(dmaBuf: number): number;
  /** Whether every fence on the buffer is signalled: no device still works on it. */
  signalled(dmaBuf: number): boolean;
  /** Inode, which names the buffer for as long as it lives. */
  inode(fd: number): bigint;
  /** Size of the buffer in bytes, as the kernel has it. */
  size(fd: number): bigint;
  /** Writes zeroes over the whole buffer, through a mapping that is gone afterwards. */
  clear(dmaBuf: number): Promise<void>;
  /**
   * Whether a pipe can pin the first page of a mapping, and still shows what is in it once the mapping is gone. Overwrites
   * the start of the buffer.
   */
  pinFirstPage(dmaBuf: number, sharing: 'shared' | 'private'): PinOutcome;
}

export interface UeventCalls {
  /** Tells of every event from now on, until it is disposed (netlink, NETLINK_KOBJECT_UEVENT). What others send is dropped. */
  listen(listener: UeventListener): Disposable;
}

export interface UeventListener {
  event(uevent: Uevent): void;
  /** Events found no room and are lost: anything may have changed. */
  lost(): void;
  /** No more will come. */
  ended(reason: KernelError): void;
}

/** What the kernel says of the machine's memory as a whole. */
export interface PressureCalls {
  /** Bytes of RAM, and of it what could be had without swapping (/proc/meminfo). */
  memory(): { readonly total: bigint; readonly available: bigint };
  /** Microseconds since boot in which some task waited for memory (PSI). */
  waited(): number;
  /** Tells whenever tasks wait for memory for too long, at most once a second or two (PSI), until it is disposed. */
  watch(pressed: () => void): Disposable;
}
