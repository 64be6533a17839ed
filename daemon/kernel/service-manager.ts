import { FdWatch } from '../../dbus/native/fd-watch.js';
import { declare, errno } from '../../dbus/native/libc.js';
import { OwnedFd } from '../../dbus/owned-fd.js';
import { connectDatagrams, type DatagramSender } from './datagram-socket.js';
import { KernelError } from './errors.js';
import { O_CLOEXEC } from './open-node.js';

const pipe2 = declare('int pipe2(void *fds, int flags)');

/** Who started the process, and keeps descriptors for it: systemd, as sd_notify(3) has it. */
export interface ServiceManager extends DatagramSender {
  /**
   * Asks to be told when everything that was sent before is done (`BARRIER=1`).
   * @returns undefined when the manager has no room now; the promise never rejects, and may never settle
   * @throws {KernelError} ECONNREFUSED when there is no manager any more
   */
  barrier(): Promise<void> | undefined;
}

/** @param path the value of `NOTIFY_SOCKET`. @throws {KernelError} when no process listens there */
export function openServiceManager(path: string): ServiceManager {
  const sender = connectDatagrams(path);
  return { ...sender, barrier: () => barrier(sender) };
}

function barrier(manager: DatagramSender): Promise<void> | undefined {
  const [ours, theirs] = newPipe();
  let sent = false;
  try {
    sent = manager.send('BARRIER=1', [theirs]);
  } finally {
    theirs.close();
    if (!sent) ours.close();
  }
  if (!sent) return undefined;
  return new Promise<void>((resolve) => {
    // The manager closes its end when it comes to it, and until then nothing happens on ours.
    const watch = new FdWatch(ours.number, () => {
      watch.close();
      ours.close();
      resolve();
    });
    watch.watch({ readable: true, writable: false });
  });
}

function newPipe(): readonly [OwnedFd, OwnedFd] {
  const ends = new Int32Array(2);
  if ((pipe2(ends, O_CLOEXEC) as number) < 0) throw new KernelError('pipe2', errno());
  const [read = -1, write = -1] = ends;
  return [new OwnedFd(read), new OwnedFd(write)];
}
