import { deflateSync } from 'node:zlib';

/** ISO/IEC 15948, 5.2. */
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const BITS = 8;
const TRUECOLOUR = 2;
const CHANNELS = 3;
/** Each row compared with the one above, which suits pictures of bars and boxes. */
const FILTER_UP = 2;

/** @param rgb red, green and blue of each pixel, row after row @returns a PNG file */
export function encodePng(rgb: Uint8Array, width: number, height: number): Buffer {
  const row = width * CHANNELS;
  if (rgb.length !== row * height)
    throw new RangeError(`${width}×${height} pixels are not ${rgb.length} bytes`);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([BITS, TRUECOLOUR], 8);
  const filtered = Buffer.alloc((row + 1) * height);
  for (let y = 0; y < height; y++) {
    const to = y * (row + 1);
    filtered[to] = FILTER_UP;
    for (let x = 0; x < row; x++) {
      const above = y === 0 ? 0 : (rgb[(y - 1) * row + x] ?? 0);
      filtered[to + 1 + x] = ((rgb[y * row + x] ?? 0) - above) & 0xff;
    }
  }
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(filtered)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

/** The check value of ISO/IEC 15948, annex D. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
