import { randomBytes } from 'node:crypto';

/** Bytes that are asked of the kernel at once: each question costs as much as hundreds of them. */
const CHUNK_BYTES = 4096;

/**
 * So many random bytes in hexadecimal, each given once.
 * @param draw random bytes; Node's own when absent
 */
export function randomHexSource(draw: (bytes: number) => Buffer = randomBytes): (bytes: number) => string {
  let drawn = draw(CHUNK_BYTES);
  let used = 0;
  return (bytes) => {
    if (bytes > CHUNK_BYTES) return draw(bytes).toString('hex');
    if (used + bytes > drawn.length) {
      drawn = draw(CHUNK_BYTES);
      used = 0;
    }
    const hex = drawn.toString('hex', used, used + bytes);
    // What was given must not be readable again.
    drawn.fill(0, used, used + bytes);
    used += bytes;
    return hex;
  };
}
