import type { OwnedFd } from '../../dbus/owned-fd.js';

/** What a DRM driver says of itself (DRM_IOCTL_VERSION). */
export interface DrmVersion {
  readonly name: string;
  readonly description: string;
}

/** DRM_IOCTL_GET_CAP, by the names of drm.h without `DRM_CAP_`. */
export type DrmCapability = 'DUMB_BUFFER' | 'PRIME' | 'ADDFB2_MODIFIERS' | 'CURSOR_WIDTH' | 'CURSOR_HEIGHT';
/** Bits of the PRIME capability. */
export const PRIME_IMPORT = 1n;
export const PRIME_EXPORT = 2n;

/** DRM_IOCTL_MODE_GETRESOURCES. Ids are the kernel's object ids. Pixels. */
export interface DrmResources {
  readonly crtcs: readonly number[];
  readonly connectors: readonly number[];
  readonly encoders: readonly number[];
  readonly minWidth: number;
  readonly maxWidth: number;
  readonly minHeight: number;
  readonly maxHeight: number;
}

export interface DrmMode {
  readonly name: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames a second. */
  readonly refresh: number;
  readonly preferred: boolean;
}

export interface DrmConnector {
  /** As the kernel names it in sysfs, without the card: `HDMI-A-1`, `eDP-1`. */
  readonly name: string;
  readonly connected: boolean;
  readonly modes: readonly DrmMode[];
  /** The encoder that drives it now; 0 for none. */
  readonly encoder: number;
}

export interface DrmPlane {
  /** Bit i stands for the i-th CRTC of the resources. */
  readonly possibleCrtcs: number;
  /** Fourccs with trailing spaces. */
  readonly formats: readonly string[];
}

/** A format and one modifier that a plane takes for it (IN_FORMATS). */
export interface FormatModifier {
  readonly format: string;
  readonly modifier: bigint;
}

export interface DumbBuffer {
  readonly handle: number;
  /** Bytes. */
  readonly pitch: number;
  readonly size: bigint;
}

export interface FramebufferRequest {
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly modifier: bigint;
  /** One to four; handles are GEM handles of the same node. Bytes. */
  readonly planes: readonly { readonly handle: number; readonly pitch: number; readonly offset: number }[];
}

/**
 * Calls on an open DRM node (borrowed). All throw KernelError. Those that touch memory or may have to wake the hardware
 * run on the thread pool.
 */
export interface DrmCalls {
  /**
   * Opens a node and gives up being master at once: the first process that opens a free primary node is its master, and
   * would lock every compositor out. On a render node, and where another process is master, there is nothing to give up.
   */
  open(path: string): OwnedFd;
  version(node: number): DrmVersion;
  capability(node: number, capability: DrmCapability): bigint;
  /** Has the kernel list every plane, not only overlays (DRM_CLIENT_CAP_UNIVERSAL_PLANES). */
  showAllPlanes(node: number): void;
  resources(node: number): DrmResources;
  /** Without probing the hardware: what the kernel knows already. */
  connector(node: number, id: number): DrmConnector;
  /** The CRTC that an encoder feeds from now; 0 for none. */
  encoderCrtc(node: number, encoder: number): number;
  /** The mode that a CRTC shows now. */
  crtcMode(node: number, crtc: number): DrmMode | undefined;
  planes(node: number): readonly number[];
  plane(node: number, id: number): DrmPlane;
  /** A plane's IN_FORMATS; undefined when it publishes none. */
  inFormats(node: number, plane: number): readonly FormatModifier[] | undefined;
  /** Pixels and bits. */
  createDumb(node: number, width: number, height: number, bitsPerPixel: number): Promise<DumbBuffer>;
  destroyDumb(node: number, handle: number): Promise<void>;
  /**
   * DRM_IOCTL_MODE_MAP_DUMB. @returns where the node's file shows the object's memory, in bytes: the same place as long as
   * the object lives, through every open file of the device
   */
  mapDumb(node: number, handle: number): bigint;
  /** DRM_IOCTL_PRIME_HANDLE_TO_FD, close-on-exec and writable. */
  exportHandle(node: number, handle: number): OwnedFd;
  /** DRM_IOCTL_PRIME_FD_TO_HANDLE. @returns a GEM handle, the same one each time for one buffer and one open node */
  importDmaBuf(node: number, dmaBuf: number): Promise<number>;
  closeHandle(node: number, handle: number): Promise<void>;
  /** DRM_IOCTL_MODE_ADDFB2. @returns the framebuffer's id */
  addFramebuffer(node: number, request: FramebufferRequest): Promise<number>;
  removeFramebuffer(node: number, framebuffer: number): Promise<void>;
}
