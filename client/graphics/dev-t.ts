import { endianness } from 'node:os';

import { invalid, unsigned } from '../check.js';

/** Bytes of a dev_t. */
const DEV_T_BYTES = 8;

/**
 * Names the device behind a `dev_t`, as a request takes it. From version 6, linux-dmabuf feedback can come without a
 * `main_device`; then the target devices of tranches with the flag `sampling` are those that read the buffer (`texture`).
 *
 * @param devT what linux-dmabuf feedback's `main_device` and `tranche_target_device` carry (8 bytes in the machine's
 * order), or the number itself (`rdev` of `fs.stat`)
 * @returns `major:minor`
 * @throws {DmabrokerError} InvalidRequest when it is not a dev_t
 *
 * @example
 * ```ts
 * import { deviceFromDevT } from 'dmabroker';
 *
 * console.log(deviceFromDevT(0xe280n)); // 226:128
 * ```
 */
export function deviceFromDevT(devT: Uint8Array | bigint | number): string {
  const number = devT instanceof Uint8Array ? fromBytes(devT) : unsigned(devT, 64n, 'devT');
  // glibc's gnu_dev_major and gnu_dev_minor: both are 32 bits wide, and lie in two pieces each.
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xffff_f000n);
  const minor = (number & 0xffn) | ((number >> 12n) & 0xffff_ff00n);
  return `${major}:${minor}`;
}

function fromBytes(bytes: Uint8Array): bigint {
  if (bytes.byteLength !== DEV_T_BYTES)
    throw invalid('devT', `${DEV_T_BYTES} bytes are wanted, not ${bytes.byteLength}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, DEV_T_BYTES);
  return view.getBigUint64(0, endianness() === 'LE');
}
