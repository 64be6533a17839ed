import { declare } from '../../dbus/native/libc.js';
import { repeat } from './ioctl.js';
import { pollfd, POLLOUT } from './poll-structs.js';

const poll = declare('int poll(void *fds, unsigned long count, int timeout)');

/**
 * Whether a dma-buf can be written now: every fence on it is signalled (dma-buf.h, "implicit fence polling"). Asking while
 * one is not leaves a reference on the buffer until it is.
 * @throws {KernelError}
 */
export function fencesSignalled(dmaBuf: number): boolean {
  const request = pollfd.make({ fd: dmaBuf, events: POLLOUT });
  repeat('poll', poll, request, 1, 0);
  return pollfd.read(request, 0, 'revents') === POLLOUT;
}
