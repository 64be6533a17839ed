import type { ImageLayout } from '../../../client/index.js';
import { drmCalls } from '../../../daemon/kernel/drm-calls.js';
import { DRM_FORMAT_MOD_INVALID } from '../../../daemon/kernel/drm-constants.js';

/** What a framebuffer needs to know of a layout. */
export type FrameLayout = Pick<ImageLayout, 'width' | 'height' | 'format' | 'modifier' | 'planes'>;

/**
 * Imports a buffer and makes it a framebuffer, exactly as the layout says.
 * @param node open primary node, borrowed like the buffer
 * @returns the framebuffer's id; it holds the buffer
 * @throws {KernelError} of the import (`DRM_IOCTL_PRIME_FD_TO_HANDLE`) or of the framebuffer (`DRM_IOCTL_MODE_ADDFB2`)
 */
export async function addFramebuffer(node: number, dmaBuf: number, layout: FrameLayout): Promise<number> {
  const handle = await drmCalls.importDmaBuf(node, dmaBuf);
  try {
    const { width, height, format, planes } = layout;
    // A driver that knows no modifiers refuses to be told one, even the linear one that it means.
    const takesModifiers = drmCalls.capability(node, 'ADDFB2_MODIFIERS') !== 0n;
    const modifier = takesModifiers ? layout.modifier : DRM_FORMAT_MOD_INVALID;
    return await drmCalls.addFramebuffer(node, {
      ...{ width, height, modifier },
      format: format.padEnd(4),
      planes: planes.map(({ offset, pitch }) => ({ handle, pitch, offset: Number(offset) })),
    });
  } finally {
    await drmCalls.closeHandle(node, handle);
  }
}
