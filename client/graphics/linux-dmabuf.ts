import type { ImageLayout } from '../model.js';
import { fourccCode } from './fourcc.js';

/** Arguments of `zwp_linux_buffer_params_v1.add`. */
export interface DmabufPlane {
  readonly fd: number;
  readonly planeIndex: number;
  /** Bytes. */
  readonly offset: number;
  readonly stride: number;
  readonly modifierHi: number;
  readonly modifierLo: number;
}

/** Arguments of the requests that make a `wl_buffer` of a dma-buf. */
export interface DmabufParams {
  /** One `add` for each. */
  readonly planes: readonly DmabufPlane[];
  /** `create` or `create_immed`. */
  readonly create: {
    readonly width: number;
    readonly height: number;
    readonly format: number;
    readonly flags: number;
  };
}

/**
 * Says a buffer in the words of Wayland's linux-dmabuf protocol.
 *
 * @param fd the buffer's, borrowed; it stands for every plane, because all planes lie in one buffer
 * @throws {RangeError} when an offset does not fit into the protocol's 32 bits
 * @throws {TypeError} when `fd` is not the number of a descriptor (`buffer.fd.number`), or the layout has no image
 *
 * @example
 * ```ts
 * import { connect, linuxDmabufParams } from 'dmabroker';
 *
 * await using broker = await connect();
 * await using allocation = await broker.allocate(
 *   [{ device: 'cpu', uses: ['write'] }],
 *   { width: 1920, height: 1080, format: 'NV12' },
 * );
 * for (const buffer of allocation.buffers) {
 *   const { planes, create } = linuxDmabufParams(allocation.layout, buffer.fd.number);
 *   console.log(planes.length, create.format === 0x3231564e); // 2 true
 * }
 * ```
 */
export function linuxDmabufParams(layout: ImageLayout, fd: number): DmabufParams {
  // A program without types would send whatever it is given to the compositor.
  if (!Number.isInteger(fd) || fd < 0)
    throw new TypeError('fd: the number of a descriptor is wanted, buffer.fd.number');
  if (!('planes' in layout)) throw new TypeError('layout: memory with no image in it has no planes');
  const modifierHi = Number(layout.modifier >> 32n);
  const modifierLo = Number(layout.modifier & U32_MAX);
  const planes = layout.planes.map(({ offset, pitch }, planeIndex) => {
    if (offset > U32_MAX) throw new RangeError(`the offset of plane ${planeIndex} does not fit: ${offset}`);
    return { fd, planeIndex, offset: Number(offset), stride: pitch, modifierHi, modifierLo };
  });
  const { width, height, format } = layout;
  return { planes, create: { width, height, format: fourccCode(format), flags: 0 } };
}

const U32_MAX = 0xffff_ffffn;
