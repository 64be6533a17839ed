import { FdWatch } from '../../dbus/native/fd-watch.js';
import { declare } from '../../dbus/native/libc.js';
import { OwnedFd } from '../../dbus/owned-fd.js';
import { repeat } from './ioctl.js';
import { EPOLL_CLOEXEC, EPOLL_CTL_ADD, epollEvent, EPOLLPRI } from './poll-structs.js';

const epollCreate = declare('int epoll_create1(int flags)');
const epollControl = declare('int epoll_ctl(int epoll, int operation, int fd, void *event)');

/**
 * Tells when a file has something of priority (POLLPRI), until it is disposed; closes the file then. The event loop only
 * watches for reading and writing, so that it watches an epoll instance, which can be read when what it watches is ready.
 * The kernel forgets the event when it tells of it, so that nothing has to be read.
 * @param file this watch's from now on, also when it cannot be made
 * @throws {KernelError}
 */
export function watchPriority(file: OwnedFd, happened: () => void): Disposable {
  let epoll: OwnedFd | undefined;
  try {
    epoll = new OwnedFd(repeat('epoll_create1', epollCreate, EPOLL_CLOEXEC));
    const event = epollEvent.make({ events: EPOLLPRI });
    repeat('epoll_ctl', epollControl, epoll.number, EPOLL_CTL_ADD, file.number, event);
  } catch (error) {
    epoll?.close();
    file.close();
    throw error;
  }
  const watched = epoll;
  const watch = new FdWatch(watched.number, (_ready, failed) => {
    if (!failed) happened();
  });
  watch.watch({ readable: true, writable: false });
  return {
    [Symbol.dispose]: () => {
      watch.close();
      watched.close();
      file.close();
    },
  };
}
