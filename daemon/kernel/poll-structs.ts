import { KernelStruct } from './struct.js';

/** poll.h */
export const pollfd = new KernelStruct('pollfd', { fd: 'int', events: 'uint16', revents: 'uint16' });
export const POLLOUT = 4;

/** sys/epoll.h, which packs it on x86-64 alone. */
export const epollEvent = new KernelStruct(
  'epoll_event',
  { events: 'uint32', data: 'uint64' },
  { packed: process.arch === 'x64' },
);
export const EPOLL_CLOEXEC = 0o2000000;
export const EPOLL_CTL_ADD = 1;
export const EPOLLPRI = 2;
