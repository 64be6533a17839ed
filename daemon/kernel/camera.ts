/** An entity of a media device (MEDIA_IOC_ENUM_ENTITIES). */
export interface MediaEntity {
  readonly name: string;
  /** MEDIA_ENT_F_…; what is not from the oldest of them, MEDIA_ENT_F_V4L2_SUBDEV_UNKNOWN. */
  readonly type: number;
  /** `major:minor` of its node; `0:0` of one that has none. */
  readonly number: string;
}

/** Pixels. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** One of the pictures that a sensor sends (VIDIOC_SUBDEV_ENUM_MBUS_CODE and _FRAME_SIZE). */
export interface SensorPicture extends FrameSize {
  /** MEDIA_BUS_FMT_…. */
  readonly code: number;
}

/**
 * Calls that tell what a camera's pictures are like, on an open node (borrowed). They reject with KernelError, run on the
 * thread pool because a list may be long, and are bounded: a driver that never ends its list is cut off.
 */
export interface CameraCalls {
  /** Entities of a `/dev/media…`. */
  entities(node: number): Promise<readonly MediaEntity[]>;
  /** Pictures of a `/dev/v4l-subdev…` that is a sensor; sizes between bounds count as the largest. */
  sensorPictures(node: number): Promise<readonly SensorPicture[]>;
  /** The single sizes that a `/dev/video…` gives in a format (V4L2's fourcc); none where any size between bounds will do. */
  frameSizes(node: number, fourcc: string): Promise<readonly FrameSize[]>;
}
