import type { BrokerOptions } from './options.js';

/** To each buffer: the broker's own descriptor. */
const OUR_REFERENCES = 1;

/**
 * Whether anybody but the broker can still reach a buffer, or a device still works on it. What cannot be told counts as
 * so: it is asked again, and memory is never given away too early.
 * @param fd of a buffer whose references can be counted
 */
export function isInUse(fd: number, dmaBuf: BrokerOptions['dmaBuf'], log: BrokerOptions['log']): boolean {
  try {
    return dmaBuf.references(fd) > OUR_REFERENCES || !dmaBuf.signalled(fd);
  } catch (error) {
    log.warn({ err: error }, 'the references to a buffer cannot be counted');
    return true;
  }
}
