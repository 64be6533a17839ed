import { fstatSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { basename } from 'node:path';

import type {
  DrmCalls,
  DrmCapability,
  DrmConnector,
  DrmMode,
  FormatModifier,
  FramebufferRequest,
} from '../../daemon/kernel/drm.js';
import { dmaBufCalls } from '../../daemon/kernel/dma-buf.js';
import { KernelError } from '../../daemon/kernel/errors.js';
import type { CameraCalls, FrameSize, MediaEntity, SensorPicture } from '../../daemon/kernel/camera.js';
import type { Kernel, MemoryCalls } from '../../daemon/kernel/kernel.js';
import type {
  V4l2Calls,
  V4l2Format,
  V4l2Image,
  V4l2PlaneBuffer,
  V4l2Queue,
  V4l2Wish,
} from '../../daemon/kernel/v4l2.js';
import type { PinOutcome } from '../../daemon/kernel/page-pins.js';
import { OwnedFd } from '../../dbus/owned-fd.js';
import { FakeGemObjects, type FakeGemObject } from './fake-gem.js';

export type Errno = keyof typeof constants.errno;

export interface FakePlane {
  readonly possibleCrtcs: number;
  readonly formats: readonly string[];
  readonly inFormats?: readonly FormatModifier[];
}

export interface FakeDrm {
  readonly name: string;
  readonly capabilities?: Partial<Record<DrmCapability, bigint>>;
  /** Absent: a GPU without a display. */
  readonly display?: {
    readonly crtcs: number;
    readonly max: number;
    readonly planes: readonly FakePlane[];
    readonly connectors: readonly DrmConnector[];
    /** What each CRTC shows; encoder N feeds CRTC N, from 1 on. */
    readonly shown?: readonly DrmMode[];
    /** What it says of a framebuffer; it takes all when absent. @param dmaBuf that the handles of the planes stand for; 0 for a dumb buffer */
    readonly shows?: (request: FramebufferRequest, dmaBuf: bigint) => Errno | undefined;
  };
  /** What it says of a foreign buffer, by the inode; it takes all when absent. */
  readonly imports?: (dmaBuf: bigint) => Errno | undefined;
  /** Bytes that the pitches of dumb buffers are rounded up to, or all that it says of them. */
  readonly dumbPitch?: (width: number, bits: number) => number | Errno;
  /** Whether a mapping of an exported dumb buffer is of another file than the object's, as on i915. */
  readonly mapsElsewhere?: boolean;
  /** Whether a mapping through the card does not hold the object, as with bochs. */
  readonly isOnTtm?: boolean;
}

export interface FakeVideo {
  readonly driver: string;
  readonly card: string;
  readonly capabilities: number;
  readonly queues: Partial<Record<V4l2Queue, readonly V4l2Format[]>>;
  /** @param streams what this open node set its output queue to */
  readonly tryFormat?: (wish: V4l2Wish, queue: V4l2Queue, streams?: string) => V4l2Image | Errno;
  /** Single sizes by V4L2's fourcc. */
  readonly sizes?: Readonly<Record<string, readonly FrameSize[]>>;
  /** What each queue is set to. */
  readonly set?: Partial<Record<V4l2Queue, V4l2Image | Errno>>;
  /** What it says when places for dma-bufs are asked for; how many there are otherwise. */
  readonly places?: (queue: V4l2Queue) => Errno | number;
  /** What it says of buffers; it takes all when absent. */
  readonly takes?: (queue: V4l2Queue, planes: readonly V4l2PlaneBuffer[]) => Errno | undefined;
}

/** What an open node holds, as the kernel would give it back on closing. */
class OpenNode {
  readonly name: string;
  readonly handles = new Map<number, bigint>();
  readonly framebuffers = new Set<number>();
  readonly dumbs = new Map<number, { readonly object: FakeGemObject; readonly hold: Disposable }>();
  readonly queues = new Map<V4l2Queue, 'reserved' | 'queued'>();
  /** What its output queue was set to. */
  streams: string | undefined;
  #next = 1;

  constructor(name: string) {
    this.name = name;
  }

  readonly next = (): number => this.#next++;

  /** Gives a dumb buffer's handle up. @returns whether there was one */
  drop(handle: number): boolean {
    this.dumbs.get(handle)?.hold[Symbol.dispose]();
    return this.dumbs.delete(handle);
  }

  get held(): readonly string[] {
    return [
      ...[...this.handles.keys()].map((id) => `handle ${id}`),
      ...[...this.framebuffers].map((id) => `framebuffer ${id}`),
      ...[...this.dumbs.keys()].map((id) => `dumb ${id}`),
      ...[...this.queues].map(([queue, state]) => `${queue} ${state}`),
    ].map((what) => `${this.name} ${what}`);
  }
}

/** Tells what its node still held when it was closed. */
class NodeFd extends OwnedFd {
  readonly #onClose: () => void;

  constructor(fd: number, onClose: () => void) {
    super(fd);
    this.#onClose = onClose;
  }

  override close(): void {
    if (this.open) this.#onClose();
    super.close();
  }
}

/** Drivers by the last name of their node (`card0`, `video0`); a node without one is not a device (ENOTTY). */
export interface FakeDrivers {
  readonly drm?: Readonly<Record<string, FakeDrm>>;
  readonly video?: Readonly<Record<string, FakeVideo>>;
  /** What `media0` and the like are made of. */
  readonly media?: Readonly<Record<string, readonly MediaEntity[]>>;
  /** What `v4l-subdev0` and the like send. */
  readonly sensors?: Readonly<Record<string, readonly SensorPicture[]>>;
  /** Nodes that may not be opened. */
  readonly closed?: Readonly<Record<string, Errno>>;
}

const fail = (call: string, errno: Errno): never => {
  throw new KernelError(call, constants.errno[errno]);
};

/** Lets others run, as a call on the thread pool does. */
const turn = Promise.resolve();

export const inodeOf = (fd: number): bigint => fstatSync(fd, { bigint: true }).ino;

const NOTHING_HELD: Disposable = { [Symbol.dispose]: () => undefined };

const unused = (call: string) => (): never => fail(call, 'ENOTTY');

/** A kernel whose drivers say what a test wants; every node is a file of the test's tree. */
export class FakeKernel implements Pick<Kernel, 'memory' | 'drm' | 'v4l2' | 'camera'> {
  /** What a pipe that pinned a page of a mapping shows, or why that cannot be tried. */
  pins: PinOutcome | Errno = 'refused';
  readonly dmaBuf: Kernel['dmaBuf'] = {
    ...dmaBufCalls,
    pinFirstPage: () => {
      const { pins } = this;
      if (pins === 'refused' || pins === 'kept' || pins === 'not kept') return pins;
      return fail('vmsplice', pins);
    },
  };
  readonly memory: MemoryCalls;
  readonly drm: DrmCalls;
  readonly v4l2: V4l2Calls;
  readonly camera: CameraCalls;
  /** Everything that was opened. */
  readonly opened: OwnedFd[] = [];
  /** Last names of the nodes that were opened, in order. */
  readonly asked: string[] = [];
  /** Calls on nodes, in order: `card0 version`. */
  readonly calls: string[] = [];
  /** What nodes still held when they were closed: `card0 handle 1`. */
  readonly left: string[] = [];
  /** The call of this place among `calls` fails so, whatever it is. */
  fault: { readonly at: number; readonly errno: Errno } | undefined;
  readonly #drivers: FakeDrivers;
  readonly #nodes = new Map<number, OpenNode>();
  readonly #objects = new Map<string, FakeGemObjects>();
  /** Exported dumb buffers by descriptor. */
  readonly #exported = new Map<number, { readonly name: string; readonly object: FakeGemObject }>();

  constructor(drivers: FakeDrivers = {}) {
    this.#drivers = drivers;
    this.memory = this.#memoryCalls();
    this.drm = this.#drmCalls();
    this.v4l2 = this.#v4l2Calls();
    this.camera = this.#cameraCalls();
  }

  #memoryCalls(): MemoryCalls {
    const none = async (): Promise<never> => Promise.resolve(fail('allocate', 'ENOTTY'));
    return {
      openNode: (path) => this.#open(path),
      createMemfd: none,
      allocateDmaHeap: none,
      createUdmabuf: none,
      reopen: () => fail('open', 'ENOTTY'),
      isOpenElsewhere: () => undefined,
      freePages: none,
      map: (fd, offset, size) => this.#map(fd, offset, size),
    };
  }

  /** Gives new dumb buffers of a card the places of those that are gone. */
  reuseOffsets(name: string): void {
    this.#objectsOf(name).reuseOffsets();
  }

  #objectsOf(name: string): FakeGemObjects {
    const objects = this.#objects.get(name) ?? new FakeGemObjects();
    this.#objects.set(name, objects);
    return objects;
  }

  /** As drm_gem_mmap has it, and a dma-buf's own mapping. */
  #map(fd: number, offset: bigint, size: bigint): Disposable {
    const exported = this.#exported.get(fd);
    if (exported !== undefined) {
      const { name, object } = exported;
      const isElsewhere = this.#drivers.drm?.[name]?.mapsElsewhere === true;
      return isElsewhere ? NOTHING_HELD : this.#objectsOf(name).hold(object);
    }
    const node = this.#node(fd);
    const object = this.#objectsOf(node.name).at(offset, size) ?? fail('mmap', 'EINVAL');
    const isAllowed = [...node.dumbs.values()].some((dumb) => dumb.object === object);
    if (!isAllowed) return fail('mmap', 'EACCES');
    // A mapping by a driver on TTM holds the memory alone.
    const isOnTtm = this.#drivers.drm?.[node.name]?.isOnTtm === true;
    return isOnTtm ? NOTHING_HELD : this.#objectsOf(node.name).hold(object);
  }

  #open(path: string): OwnedFd {
    const name = basename(path);
    this.asked.push(name);
    this.#step(name, 'open');
    const refusal = this.#drivers.closed?.[name];
    if (refusal !== undefined) fail('open', refusal);
    const node = new OpenNode(name);
    const number = openSync(path, 'r');
    const fd = new NodeFd(number, () => {
      this.left.push(...node.held);
      for (const handle of node.dumbs.keys()) node.drop(handle);
      this.#nodes.delete(number);
    });
    this.opened.push(fd);
    this.#nodes.set(number, node);
    return fd;
  }

  #step(name: string, call: string): void {
    const at = this.calls.push(`${name} ${call}`) - 1;
    if (this.fault?.at === at) fail(call, this.fault.errno);
  }

  #node(fd: number): OpenNode {
    return this.#nodes.get(fd) ?? fail('ioctl', 'EBADF');
  }

  #drmCalls(): DrmCalls {
    const at = (node: number, call: string): FakeDrm => {
      const { name } = this.#node(node);
      this.#step(name, call);
      return this.#drivers.drm?.[name] ?? fail(call, 'ENOTTY');
    };
    const display = (node: number, call: string) => at(node, call).display ?? fail(call, 'EOPNOTSUPP');
    const item = <T>(items: readonly T[], id: number, call: string): T =>
      items[id - 1] ?? fail(call, 'ENOENT');
    const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
    return {
      open: (path) => this.#open(path),
      version: (node) => ({ name: at(node, 'version').name, description: '' }),
      capability: (node, name) => at(node, `capability ${name}`).capabilities?.[name] ?? 0n,
      showAllPlanes: (node) => void display(node, 'showAllPlanes'),
      resources: (node) => {
        const { crtcs, connectors, max } = display(node, 'resources');
        return {
          crtcs: range(crtcs),
          connectors: range(connectors.length),
          encoders: range(crtcs),
          minWidth: 1,
          minHeight: 1,
          maxWidth: max,
          maxHeight: max,
        };
      },
      connector: (node, id) => item(display(node, 'connector').connectors, id, 'connector'),
      encoderCrtc: (node, encoder) => (display(node, 'encoderCrtc').crtcs >= encoder ? encoder : 0),
      crtcMode: (node, crtc) => display(node, 'crtcMode').shown?.[crtc - 1],
      planes: (node) => range(display(node, 'planes').planes.length),
      plane: (node, id) => item(display(node, 'plane').planes, id, 'plane'),
      inFormats: (node, id) => item(display(node, 'inFormats').planes, id, 'inFormats').inFormats,
      createDumb: async (node, width, height, bits) => {
        const pitch = at(node, 'createDumb').dumbPitch?.(width, bits) ?? 'EINVAL';
        await turn;
        if (typeof pitch === 'string') return fail('createDumb', pitch);
        const { name, dumbs, next } = this.#node(node);
        const handle = next();
        const size = BigInt(pitch * height);
        const objects = this.#objectsOf(name);
        const object = objects.create(size);
        dumbs.set(handle, { object, hold: objects.hold(object) });
        return { handle, pitch, size };
      },
      destroyDumb: async (node, handle) => {
        at(node, 'destroyDumb');
        await turn;
        if (!this.#node(node).drop(handle)) fail('destroyDumb', 'ENOENT');
      },
      mapDumb: (node, handle) => {
        at(node, 'mapDumb');
        return this.#node(node).dumbs.get(handle)?.object.offset ?? fail('mapDumb', 'ENOENT');
      },
      exportHandle: (node, handle) => {
        at(node, 'exportHandle');
        const { name, dumbs } = this.#node(node);
        const { object } = dumbs.get(handle) ?? fail('exportHandle', 'ENOENT');
        const hold = this.#objectsOf(name).hold(object);
        const number = openSync('/dev/null', 'r');
        this.#exported.set(number, { name, object });
        return new NodeFd(number, () => {
          hold[Symbol.dispose]();
          this.#exported.delete(number);
        });
      },
      importDmaBuf: async (node, dmaBuf) => {
        const { imports } = at(node, 'importDmaBuf');
        await turn;
        const inode = inodeOf(dmaBuf);
        const refusal = imports?.(inode);
        if (refusal !== undefined) fail('importDmaBuf', refusal);
        const { name, dumbs, handles, next } = this.#node(node);
        const handle = next();
        const exported = this.#exported.get(dmaBuf);
        if (exported?.name === name) {
          // Its own: the object itself.
          const { object } = exported;
          dumbs.set(handle, { object, hold: this.#objectsOf(name).hold(object) });
          return handle;
        }
        handles.set(handle, inode);
        return handle;
      },
      closeHandle: async (node, handle) => {
        at(node, 'closeHandle');
        await turn;
        const open = this.#node(node);
        if (!open.handles.delete(handle) && !open.drop(handle)) fail('closeHandle', 'EINVAL');
      },
      addFramebuffer: async (node, request) => {
        const shows = display(node, 'addFramebuffer').shows;
        await turn;
        const { handles, dumbs, framebuffers, next } = this.#node(node);
        const inodes = request.planes.map(
          ({ handle }) => handles.get(handle) ?? (dumbs.has(handle) ? 0n : fail('addFramebuffer', 'ENOENT')),
        );
        const refusal = shows?.(request, inodes[0] ?? 0n);
        if (refusal !== undefined) fail('addFramebuffer', refusal);
        const framebuffer = next();
        framebuffers.add(framebuffer);
        return framebuffer;
      },
      removeFramebuffer: async (node, framebuffer) => {
        at(node, 'removeFramebuffer');
        await turn;
        if (!this.#node(node).framebuffers.delete(framebuffer)) fail('removeFramebuffer', 'ENOENT');
      },
    };
  }

  #cameraCalls(): CameraCalls {
    const name = (node: number): string => this.#nodes.get(node)?.name ?? '';
    const { media, sensors, video } = this.#drivers;
    return {
      entities: async (node) => Promise.resolve(media?.[name(node)] ?? []),
      sensorPictures: async (node) => Promise.resolve(sensors?.[name(node)] ?? []),
      frameSizes: async (node, fourcc) => Promise.resolve(video?.[name(node)]?.sizes?.[fourcc] ?? []),
    };
  }

  #v4l2Calls(): V4l2Calls {
    const at = (node: number, call: string): FakeVideo => {
      const { name } = this.#node(node);
      this.#step(name, call);
      return this.#drivers.video?.[name] ?? fail(call, 'ENOTTY');
    };
    return {
      queryCapabilities: (node) => ({ bus: '', ...at(node, 'QUERYCAP') }),
      formats: (node, queue) => at(node, 'ENUM_FMT').queues[queue] ?? fail('ENUM_FMT', 'EINVAL'),
      tryFormat: async (node, queue, wish) => {
        const answer = at(node, 'TRY_FMT').tryFormat?.(wish, queue, this.#node(node).streams) ?? 'ENOTTY';
        return Promise.resolve(typeof answer === 'string' ? fail('TRY_FMT', answer) : answer);
      },
      getFormat: async (node, queue) => {
        const image = at(node, 'G_FMT').set?.[queue] ?? 'EINVAL';
        return Promise.resolve(typeof image === 'string' ? fail('G_FMT', image) : image);
      },
      setFormat: async (node, queue, wish) => {
        const set = `S_FMT ${queue} ${wish.bytesPerLine ?? 0}`;
        const answer = at(node, set).tryFormat?.(wish, queue) ?? 'ENOTTY';
        if (queue.startsWith('output')) this.#node(node).streams = wish.fourcc;
        return Promise.resolve(typeof answer === 'string' ? fail('S_FMT', answer) : answer);
      },
      requestBuffers: async (node, queue, count) => {
        const { places } = at(node, `REQBUFS ${queue} ${count}`);
        await turn;
        const { queues } = this.#node(node);
        if (count === 0) return (void queues.delete(queue), 0);
        const granted = places?.(queue) ?? count;
        if (typeof granted === 'string') return fail('REQBUFS', granted);
        queues.set(queue, 'reserved');
        return granted;
      },
      queueDmaBufs: async (node, queue, index, planes) => {
        const { takes, set } = at(node, `QBUF ${queue}`);
        await turn;
        const { queues } = this.#node(node);
        if (index !== 0 || queues.get(queue) !== 'reserved') fail('QBUF', 'EINVAL');
        const image = set?.[queue];
        const sizes = typeof image === 'object' ? image.planes.map(({ size }) => size) : [];
        // As vb2 has it: a plane for each, and none smaller than the image's.
        const fits =
          planes.length === sizes.length && planes.every(({ length = 0 }, i) => length >= (sizes[i] ?? 0));
        const refusal = fits ? takes?.(queue, planes) : 'EINVAL';
        if (refusal !== undefined) fail('QBUF', refusal);
        queues.set(queue, 'queued');
      },
      dequeue: unused('DQBUF'),
      streamOn: unused('STREAMON'),
      streamOff: unused('STREAMOFF'),
    };
  }
}

/** A driver of one memory plane that rounds pitches up to a step and widths into its bounds. */
export const roundingDriver =
  (options: {
    readonly step: number;
    /** Bytes of a row for each pixel. */
    readonly bytes: number;
    readonly max: number;
    /** Whether it takes a larger pitch that it is asked for. */
    readonly listens: boolean;
  }) =>
  ({ fourcc, width, height, bytesPerLine = 0 }: V4l2Wish): V4l2Image => {
    const { step, bytes, max, listens } = options;
    const granted = Math.min(width, max);
    const least = Math.ceil((granted * bytes) / step) * step;
    const pitch = listens ? Math.max(least, bytesPerLine) : least;
    return {
      fourcc,
      width: granted,
      height: Math.min(height, max),
      planes: [{ bytesPerLine: pitch, size: pitch * Math.min(height, max) }],
    };
  };
