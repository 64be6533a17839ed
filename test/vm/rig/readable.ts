import { FdWatch } from '../../../dbus/native/fd-watch.js';

/**
 * Waits until a descriptor (borrowed) can be read: a video node that has filled a buffer, a fence that is signalled.
 * @throws {Error} when the kernel reports an error on it, as a video node does that does not stream
 */
export function readable(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const watch = new FdWatch(fd, (_, failed) => {
      watch.close();
      if (failed) reject(new Error(`descriptor ${fd} is in error`));
      else resolve();
    });
    watch.watch({ readable: true, writable: false });
  });
}
