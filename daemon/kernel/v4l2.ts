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

/** A buffer as it comes back from a queue (VIDIOC_DQBUF). */
export interface V4l2Done {
  /** The place that it was queued at. */
  readonly index: number;
  /** Bytes that the driver filled, of each memory plane. */
  readonly bytesUsed: readonly number[];
  /** Counts frames; a gap is one that the driver dropped. */
  readonly sequence: number;
  /** Whether the driver says that what is in it is not an image (V4L2_BUF_FLAG_ERROR). */
  readonly failed: boolean;
}

/** A dma-buf (borrowed) for a memory plane. */
export interface V4l2PlaneBuffer {
  readonly dmaBuf: number;
  /** Bytes that the plane may use; all of the dma-buf when absent. */
  readonly length?: number;
  /** Bytes of the image in it: for queues that take images. */
  readonly bytesUsed?: number;
}

/**
 * Calls on an open V4L2 node (borrowed). All throw or reject with KernelError. Those that talk to the hardware or map
 * memory run on the thread pool.
 */
export interface V4l2Calls extends V4l2StreamCalls {
  queryCapabilities(node: number): V4l2Capabilities;
  /** Bounded: a driver that never ends its list is cut off. */
  formats(node: number, queue: V4l2Queue): readonly V4l2Format[];
  /** Changes nothing. */
  tryFormat(node: number, queue: V4l2Queue, wish: V4l2Wish): Promise<V4l2Image>;
  /** The image that the queue is set to (VIDIOC_G_FMT). */
  getFormat(node: number, queue: V4l2Queue): Promise<V4l2Image>;
  /** Sets the queue for everybody (VIDIOC_S_FMT). */
  setFormat(node: number, queue: V4l2Queue, wish: V4l2Wish): Promise<V4l2Image>;
}

/** What goes through a queue: dma-bufs that others made (V4L2_MEMORY_DMABUF). */
export interface V4l2StreamCalls {
  /**
   * VIDIOC_REQBUFS. The queue belongs to this open node from then on, until 0 are asked for or the node is closed; EBUSY
   * while another process has it.
   * @returns places that the queue has, which may be more or fewer
   */
  requestBuffers(node: number, queue: V4l2Queue, count: number): Promise<number>;
  /** VIDIOC_QBUF: the driver maps the buffers here, and refuses those that it cannot use. @param planes as many as the image has */
  queueDmaBufs(
    node: number,
    queue: V4l2Queue,
    index: number,
    planes: readonly V4l2PlaneBuffer[],
  ): Promise<void>;
  /** VIDIOC_DQBUF; EAGAIN while none is done (the node is open without waiting). */
  dequeue(node: number, queue: V4l2Queue): Promise<V4l2Done>;
  streamOn(node: number, queue: V4l2Queue): Promise<void>;
  /** Gives every buffer back. */
  streamOff(node: number, queue: V4l2Queue): Promise<void>;
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
