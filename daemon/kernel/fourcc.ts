/** A format code as its four characters, one a byte from the lowest up (`XR24`, `R8  `), whatever the bytes are. */
export const fourccOf = (code: number): string =>
  String.fromCharCode(code & 0xff, (code >>> 8) & 0xff, (code >>> 16) & 0xff, code >>> 24);

/** The code of four characters. @throws {RangeError} when they are not four, or do not fit in a byte each */
export function fourccCode(fourcc: string): number {
  if (!/^[\0-\xff]{4}$/s.test(fourcc)) throw new RangeError('a fourcc has four characters of one byte each');
  return Buffer.from(fourcc, 'latin1').readUInt32LE();
}
