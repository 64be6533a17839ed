import { invalid, text, unsigned } from '../check.js';

/** Characters of a fourcc; shorter names are padded with spaces. */
const FOURCC_CHARS = 4;

const isFourcc = (name: string): boolean => /^[ -~]{1,4}$/.test(name);

/**
 * The number of a DRM format: `XR24` is 0x34325258.
 * @throws {DmabrokerError} InvalidRequest when it is not a fourcc
 */
export function fourccCode(format: string): number {
  if (!isFourcc(text(format, 'format'))) throw invalid('format', `${JSON.stringify(format)} is not a fourcc`);
  return Buffer.from(format.padEnd(FOURCC_CHARS)).readUInt32LE();
}

/**
 * The name of a DRM format's number, without trailing spaces, as a request takes it: 0x20203852 is `R8`.
 * @throws {DmabrokerError} InvalidRequest when it is not a fourcc
 */
export function fourccName(code: number): string {
  const bytes = Buffer.alloc(FOURCC_CHARS);
  bytes.writeUInt32LE(Number(unsigned(code, 32n, 'code')));
  const format = bytes.toString('latin1').trimEnd();
  if (!isFourcc(format)) throw invalid('code', `${code} is not a fourcc`);
  return format;
}
