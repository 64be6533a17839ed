import type { BrokerOptions } from './options.js';

/**
 * Whether anybody but the broker can still reach a buffer, or a device still works on it. What cannot be told counts as
 * so: it is asked again, and memory is never given away too early.
 * @param fd of a buffer whose references can be counted
 * @param ours references that are the broker's own; undefined when it may have one more than its descriptor, or not
 */
export function isInUse(
  fd: number,
  ours: number | undefined,
  dmaBuf: BrokerOptions['dmaBuf'],
  log: BrokerOptions['log'],
): boolean {
  try {
    return dmaBuf.references(fd) > (ours ?? 1) || !dmaBuf.signalled(fd);
  } catch (error) {
    log.warn({ event: 'references-unknown', err: error }, 'the references to a buffer cannot be counted');
    return true;
  }
}
