import { KernelStruct } from './struct.js';

/** linux/netlink.h */
export const NETLINK_KOBJECT_UEVENT = 15;

export const sockaddrNl = new KernelStruct('sockaddr_nl', {
  nl_family: 'uint16',
  nl_pad: 'uint16',
  nl_pid: 'uint32',
  nl_groups: 'uint32',
});

/** sys/socket.h */
export const AF_NETLINK = 16;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const MSG_DONTWAIT = 0x40;
export const MSG_TRUNC = 0x20;
