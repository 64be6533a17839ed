import { openSync } from 'node:fs';
import { constants } from 'node:os';
import { basename } from 'node:path';

import type {
  DrmCalls,
  DrmCapability,
  DrmConnector,
  DrmMode,
  FormatModifier,
} from '../../daemon/kernel/drm.js';
import { KernelError } from '../../daemon/kernel/errors.js';
import type { CameraCalls, FrameSize, MediaEntity, SensorPicture } from '../../daemon/kernel/camera.js';
import type { Kernel, MemoryCalls } from '../../daemon/kernel/kernel.js';
import type { V4l2Calls, V4l2Format, V4l2Image, V4l2Queue, V4l2Wish } from '../../daemon/kernel/v4l2.js';
import { OwnedFd } from '../../dbus/owned-fd.js';

type Errno = keyof typeof constants.errno;

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
  };
}

export interface FakeVideo {
  readonly driver: string;
  readonly card: string;
  readonly capabilities: number;
  readonly queues: Partial<Record<V4l2Queue, readonly V4l2Format[]>>;
  readonly tryFormat?: (wish: V4l2Wish, queue: V4l2Queue) => V4l2Image | Errno;
  /** Single sizes by V4L2's fourcc. */
  readonly sizes?: Readonly<Record<string, readonly FrameSize[]>>;
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

const unused = (call: string) => (): never => fail(call, 'ENOTTY');

/** A kernel whose drivers say what a test wants; every node is a file of the test's tree. */
export class FakeKernel implements Pick<Kernel, 'memory' | 'drm' | 'v4l2' | 'camera'> {
  readonly memory: MemoryCalls;
  readonly drm: DrmCalls;
  readonly v4l2: V4l2Calls;
  readonly camera: CameraCalls;
  /** Everything that was opened. */
  readonly opened: OwnedFd[] = [];
  /** Last names of the nodes that were opened, in order. */
  readonly asked: string[] = [];
  /** Calls on DRM nodes, in order: `card0 version`. */
  readonly calls: string[] = [];
  readonly #drivers: FakeDrivers;
  readonly #names = new Map<number, string>();

  constructor(drivers: FakeDrivers = {}) {
    this.#drivers = drivers;
    this.memory = this.#memoryCalls();
    this.drm = this.#drmCalls();
    this.v4l2 = this.#v4l2Calls();
    this.camera = this.#cameraCalls();
  }

  #memoryCalls(): MemoryCalls {
    const none = async (): Promise<OwnedFd> => Promise.resolve(fail('allocate', 'ENOTTY'));
    return {
      openNode: (path) => this.#open(path),
      createMemfd: none,
      allocateDmaHeap: none,
      createUdmabuf: none,
    };
  }

  #open(path: string): OwnedFd {
    const name = basename(path);
    this.asked.push(name);
    const refusal = this.#drivers.closed?.[name];
    if (refusal !== undefined) fail('open', refusal);
    const fd = new OwnedFd(openSync(path, 'r'));
    this.opened.push(fd);
    this.#names.set(fd.number, name);
    return fd;
  }

  #drmCalls(): DrmCalls {
    const at = (node: number, call: string): FakeDrm => {
      const name = this.#names.get(node) ?? '';
      this.calls.push(`${name} ${call}`);
      return this.#drivers.drm?.[name] ?? fail(call, 'ENOTTY');
    };
    const display = (node: number, call: string) => at(node, call).display ?? fail(call, 'EOPNOTSUPP');
    const item = <T>(items: readonly T[], id: number, call: string): T =>
      items[id - 1] ?? fail(call, 'ENOENT');
    const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
    return {
      open: (path) => {
        this.calls.push(`${basename(path)} open`);
        return this.#open(path);
      },
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
      createDumb: unused('createDumb'),
      destroyDumb: unused('destroyDumb'),
      exportHandle: unused('exportHandle'),
      importDmaBuf: unused('importDmaBuf'),
      closeHandle: unused('closeHandle'),
      addFramebuffer: unused('addFramebuffer'),
      removeFramebuffer: unused('removeFramebuffer'),
    };
  }

  #cameraCalls(): CameraCalls {
    const name = (node: number): string => this.#names.get(node) ?? '';
    const { media, sensors, video } = this.#drivers;
    return {
      entities: async (node) => Promise.resolve(media?.[name(node)] ?? []),
      sensorPictures: async (node) => Promise.resolve(sensors?.[name(node)] ?? []),
      frameSizes: async (node, fourcc) => Promise.resolve(video?.[name(node)]?.sizes?.[fourcc] ?? []),
    };
  }

  #v4l2Calls(): V4l2Calls {
    const at = (node: number, call: string): FakeVideo =>
      this.#drivers.video?.[this.#names.get(node) ?? ''] ?? fail(call, 'ENOTTY');
    return {
      queryCapabilities: (node) => ({ bus: '', ...at(node, 'QUERYCAP') }),
      formats: (node, queue) => at(node, 'ENUM_FMT').queues[queue] ?? fail('ENUM_FMT', 'EINVAL'),
      tryFormat: async (node, queue, wish) => {
        const answer = at(node, 'TRY_FMT').tryFormat?.(wish, queue) ?? 'ENOTTY';
        return Promise.resolve(typeof answer === 'string' ? fail('TRY_FMT', answer) : answer);
      },
      getFormat: unused('G_FMT'),
      setFormat: unused('S_FMT'),
      requestBuffers: unused('REQBUFS'),
      queueDmaBufs: unused('QBUF'),
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
