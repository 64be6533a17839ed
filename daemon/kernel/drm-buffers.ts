import { constants } from 'node:fs';

import { OwnedFd } from '../../dbus/owned-fd.js';
import type { DrmCalls } from './drm.js';
import { DRM_FORMAT_MOD_INVALID, DRM_MODE_FB_MODIFIERS } from './drm-constants.js';
import * as ioctls from './drm-ioctls.js';
import * as structs from './drm-structs.js';
import { fourccCode } from './fourcc.js';
import type { IoctlEdge } from './ioctl.js';
import { O_CLOEXEC } from './open-node.js';

type BufferCalls = Pick<
  DrmCalls,
  | 'createDumb'
  | 'destroyDumb'
  | 'mapDumb'
  | 'exportHandle'
  | 'importDmaBuf'
  | 'closeHandle'
  | 'addFramebuffer'
  | 'removeFramebuffer'
>;

/** Making, importing and showing buffers. */
export const bufferCalls = (edge: IoctlEdge): BufferCalls => ({
  async createDumb(node, width, height, bitsPerPixel) {
    const argument = structs.createDumb.make({ width, height, bpp: bitsPerPixel });
    await edge.offLoop(ioctls.DRM_IOCTL_MODE_CREATE_DUMB, node, argument);
    return {
      handle: structs.createDumb.read(argument, 0, 'handle'),
      pitch: structs.createDumb.read(argument, 0, 'pitch'),
      size: structs.createDumb.readWide(argument, 0, 'size'),
    };
  },

  async destroyDumb(node, handle) {
    await edge.offLoop(ioctls.DRM_IOCTL_MODE_DESTROY_DUMB, node, structs.destroyDumb.make({ handle }));
  },

  mapDumb(node, handle) {
    const argument = structs.mapDumb.make({ handle });
    edge.now(ioctls.DRM_IOCTL_MODE_MAP_DUMB, node, argument);
    return structs.mapDumb.readWide(argument, 0, 'offset');
  },

  exportHandle(node, handle) {
    const argument = structs.primeHandle.make({ handle, flags: O_CLOEXEC | constants.O_RDWR });
    edge.now(ioctls.DRM_IOCTL_PRIME_HANDLE_TO_FD, node, argument);
    return new OwnedFd(structs.primeHandle.read(argument, 0, 'fd'));
  },

  async importDmaBuf(node, dmaBuf) {
    const argument = structs.primeHandle.make({ fd: dmaBuf });
    await edge.offLoop(ioctls.DRM_IOCTL_PRIME_FD_TO_HANDLE, node, argument);
    return structs.primeHandle.read(argument, 0, 'handle');
  },

  async closeHandle(node, handle) {
    await edge.offLoop(ioctls.DRM_IOCTL_GEM_CLOSE, node, structs.gemClose.make({ handle }));
  },

  async addFramebuffer(node, { width, height, format, modifier, planes }) {
    const command = structs.framebufferCommand;
    // Without the flag the driver decides by itself how the memory is laid out, which is what the invalid modifier means.
    const isExplicit = modifier !== DRM_FORMAT_MOD_INVALID;
    const argument = command.make({
      width,
      height,
      pixel_format: fourccCode(format),
      flags: isExplicit ? DRM_MODE_FB_MODIFIERS : 0,
    });
    planes.forEach(({ handle, pitch, offset }, i) => {
      command.write(argument, 0, 'handles', handle, i);
      command.write(argument, 0, 'pitches', pitch, i);
      command.write(argument, 0, 'offsets', offset, i);
      if (isExplicit) command.write(argument, 0, 'modifier', modifier, i);
    });
    await edge.offLoop(ioctls.DRM_IOCTL_MODE_ADDFB2, node, argument);
    return command.read(argument, 0, 'fb_id');
  },

  async removeFramebuffer(node, framebuffer) {
    await edge.offLoop(ioctls.DRM_IOCTL_MODE_RMFB, node, Buffer.from(Uint32Array.of(framebuffer).buffer));
  },
});
