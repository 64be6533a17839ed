import type { OwnedFd } from '../../dbus/owned-fd.js';
import { cameraCalls } from './camera-calls.js';
import { dmaBufCalls } from './dma-buf.js';
import { drmCalls } from './drm-calls.js';
import type { Kernel } from './kernel.js';
import { memoryCalls } from './memory.js';
import { pressureCalls } from './memory-pressure.js';
import { ueventCalls } from './uevents.js';
import { v4l2Calls } from './v4l2-calls.js';

/**
 * The running machine's kernel.
 * @param opened files that a more privileged process opened for this one; the kernel's from now on
 */
export const createKernel = (opened: { readonly pressure?: OwnedFd } = {}): Kernel => ({
  memory: memoryCalls,
  dmaBuf: dmaBufCalls,
  drm: drmCalls,
  v4l2: v4l2Calls,
  uevents: ueventCalls,
  pressure: pressureCalls(opened.pressure),
  camera: cameraCalls,
});
