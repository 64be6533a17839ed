import type { FormatModifier } from '../../kernel/drm.js';
import type { V4l2Format, V4l2Queue } from '../../kernel/v4l2.js';
import type { FrameSize } from '../../kernel/camera.js';
import type { Mode } from '../inventory.js';

/** A text that a person attached to a bug report. */
export interface DumpText {
  /** Name of the file, for messages and for what it says of a node (`video0.txt`). */
  readonly name: string;
  readonly text: string;
}

/** A dump that cannot be used; the message begins with file and line, or with file and place in the JSON document. */
export class DumpError extends Error {
  override readonly name = 'DumpError';
}

/** A plane of a card, as the kernel lists it. */
export interface PlaneDump {
  /** Bit i stands for the i-th CRTC. */
  readonly possibleCrtcs: number;
  /** Fourccs with trailing spaces. */
  readonly formats: readonly string[];
  /** IN_FORMATS; undefined when the dump has none. */
  readonly inFormats?: readonly FormatModifier[];
}

/** What a dump says of one DRM card; what is absent is not known. */
export interface CardDump {
  /** `/dev/dri/card0` */
  readonly node?: string;
  readonly driver?: string;
  readonly compatible?: readonly string[];
  /** `vvvv:dddd` */
  readonly pci?: string;
  readonly hasRenderNode?: boolean;
  /** Whether it makes dumb buffers that can be passed on. */
  readonly dumbBuffers?: boolean;
  /** DRM_CAP_PRIME. */
  readonly imports?: boolean;
  readonly crtcs: number;
  readonly planes: readonly PlaneDump[];
  /** Pixels. */
  readonly largest?: FrameSize;
  readonly modes: readonly Mode[];
  readonly kernel?: string;
}

/** A format of a queue, with the sizes that the driver lists for it. */
export interface FormatDump extends V4l2Format {
  /** Single sizes. Pixels. */
  readonly sizes: readonly FrameSize[];
  /** The largest of a range. */
  readonly largest?: FrameSize;
}

/** What a dump says of one video node. */
export interface VideoDump {
  /** `/dev/video0` */
  readonly node?: string;
  readonly driver: string;
  readonly card: string;
  /** V4L2_CAP_… of the node. */
  readonly capabilities: number;
  /** Formats by queue; a queue that is absent was not listed. */
  readonly queues: ReadonlyMap<V4l2Queue, readonly FormatDump[]>;
  /** Fourcc that the output queue is set to. */
  readonly outputFormat?: string;
  readonly kernel?: string;
}

/** Bounds of what is read from a stranger. */
export const DUMP_LIMITS = {
  /** Bytes of one file: a drm_info of eight large GPUs is a tenth of that. */
  fileBytes: 16 * 1024 * 1024,
  files: 64,
  cards: 64,
  videos: 256,
  /** Planes, connectors and the like of one card. */
  parts: 1024,
  /** Formats of a plane or a queue, modes of a connector. */
  entries: 4096,
  /** Files of /sys and /proc that listings show. */
  listedFiles: 65_536,
  /** Bytes of a line. */
  lineBytes: 1024 * 1024,
} as const;
