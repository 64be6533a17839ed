/** VIDIOC_QUERYCAP. */
export interface V4l2Capabilities {
  readonly driver: string;
  readonly card: string;
  readonly bus: string;
  /** V4L2_CAP_… bits of this node (`device_caps` where the driver fills it in). */
  readonly capabilities: number;
}

/** V4L2_BUF_TYPE_…, the queues that hold images. */
export type V4l2Queue = 'capture' | 'output' | 'capture-mplane' | 'output-mplane';

export interface V4l2Format {
  /** V4L2's own fourcc, four characters; not DRM's. */
  readonly fourcc: string;
  readonly description: string;
  readonly compressed: boolean;
}

/** What a driver makes of a wish (VIDIOC_TRY_FMT). Pixels and bytes. */
export interface V4l2Image {
  readonly fourcc: string;
  readonly width: number;
  readonly height: number;
  /** One a memory plane; most formats have one that holds all of their colour planes. */
  readonly planes: readonly { readonly bytesPerLine: number; readonly size: number }[];
}

export interface V4l2Wish {
  readonly fourcc: string;
  readonly width: number;
  readonly height: number;
  /** Pitch of every memory plane; the driver chooses when it is absent or too small, and many never listen. */
  readonly bytesPerLine?: number;
}

/** Calls on an open V4L2 node (borrowed). All throw KernelError. */
export interface V4l2Calls {
  queryCapabilities(node: number): V4l2Capabilities;
  /** Bounded: a driver that never ends its list is cut off. */
  formats(node: number, queue: V4l2Queue): readonly V4l2Format[];
  /** Talks to the hardware, and is therefore on the thread pool; changes nothing. */
  tryFormat(node: number, queue: V4l2Queue, wish: V4l2Wish): Promise<V4l2Image>;
}

export const V4L2_CAP = {
  VIDEO_CAPTURE: 0x1,
  VIDEO_OUTPUT: 0x2,
  VIDEO_CAPTURE_MPLANE: 0x1000,
  VIDEO_OUTPUT_MPLANE: 0x2000,
  VIDEO_M2M_MPLANE: 0x4000,
  VIDEO_M2M: 0x8000,
  META_CAPTURE: 0x80_0000,
  STREAMING: 0x400_0000,
  META_OUTPUT: 0x800_0000,
  DEVICE_CAPS: 0x8000_0000,
} as const;
