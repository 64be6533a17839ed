import { invalid, list, record, unsigned } from '../check.js';
import { fdSizesOf, type ImageLayout } from '../model.js';
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
 * @param fd the buffer's, borrowed: it stands for every plane where all of them lie in one. For a layout with `planeFds`,
 * pass all descriptors of the buffer, in order: `buffer.fds.map(({ number }) => number)`
 * @throws {DmabrokerError} InvalidRequest when an offset does not fit into the protocol's 32 bits, when `fd` is not the
 * number of a descriptor (`buffer.fd.number`), or not as many as the layout has, or when the layout has no image
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
export function linuxDmabufParams(layout: ImageLayout, fd: number | readonly number[]): DmabufParams {
  // A program without types would send to the compositor what is no descriptor.
  const fds = list(Array.isArray(fd) ? fd : [fd], 'fd', (each, what) =>
    Number(unsigned(each, 31n, `${what} (buffer.fd.number)`)),
  );
  if (!('planes' in record(layout, 'layout')))
    throw invalid('layout', 'memory with no image in it has no planes');
  const wanted = fdSizesOf(layout).length;
  if (fds.length !== wanted)
    throw invalid('fd', `the buffer has ${wanted} descriptors (buffer.fds), and ${fds.length} were given`);
  const modifier = unsigned(layout.modifier, 64n, 'layout.modifier');
  const modifierHi = Number(modifier >> 32n);
  const modifierLo = Number(BigInt.asUintN(32, modifier));
  const planes = layout.planes.map(({ offset, pitch }, planeIndex) => {
    const offset32 = Number(unsigned(offset, 32n, `layout.planes[${planeIndex}].offset`));
    const own = fds[layout.planeFds?.[planeIndex] ?? 0];
    if (own === undefined) throw invalid(`layout.planeFds[${planeIndex}]`, 'there is no such descriptor');
    return { fd: own, planeIndex, offset: offset32, stride: pitch, modifierHi, modifierLo };
  });
  const { width, height, format } = layout;
  return { planes, create: { width, height, format: fourccCode(format), flags: 0 } };
}
