/** Characters of a fourcc; shorter names are padded with spaces. */
const FOURCC_CHARS = 4;

/**
 * The number of a DRM format: `XR24` is 0x34325258.
 * @throws {RangeError} when it is not a fourcc
 */
export function fourccCode(format: string): number {
  if (!/^[ -~]{1,4}$/.test(format)) throw new RangeError(`not a fourcc: ${JSON.stringify(format)}`);
  return Buffer.from(format.padEnd(FOURCC_CHARS)).readUInt32LE();
}

/**
 * The name of a DRM format's number, without trailing spaces, as a request takes it: 0x20203852 is `R8`.
 * @throws {RangeError} when it is not a fourcc
 */
export function fourccName(code: number): string {
  const bytes = Buffer.alloc(FOURCC_CHARS);
  bytes.writeUInt32LE(code);
  const format = bytes.toString('latin1').trimEnd();
  if (!/^[ -~]{1,4}$/.test(format)) throw new RangeError(`not a fourcc: ${code}`);
  return format;
}
