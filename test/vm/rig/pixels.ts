/** An XR24 image in memory. Bytes and pixels. */
export interface Xr24 {
  readonly bytes: Uint8Array;
  readonly pitch: number;
}

/** Bytes of a pixel; the last of them means nothing. */
const PIXEL = 4;
const COLOURS = 0x00ff_ffff;

/** Where the colours of two images first differ in the upper left `width` × `height` pixels; undefined where nowhere. */
export function firstDifference(
  one: Xr24,
  other: Xr24,
  width: number,
  height: number,
): { readonly x: number; readonly y: number } | undefined {
  for (let y = 0; y < height; y++) {
    const left = rowOf(one, y, width);
    const right = rowOf(other, y, width);
    for (let x = 0; x < width; x++) {
      if ((((left[x] ?? 0) ^ (right[x] ?? 0)) & COLOURS) !== 0) return { x, y };
    }
  }
  return undefined;
}

/** Rows of 32-bit pixels; the pitch is a multiple of 4 where these are read. */
function rowOf({ bytes, pitch }: Xr24, y: number, width: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset + y * pitch, width);
}

/** Red, green and blue of each pixel, row after row. */
export function rgbOf({ bytes, pitch }: Xr24, width: number, height: number): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let from = y * pitch; from < y * pitch + width * PIXEL; from += PIXEL) {
      for (const colour of [2, 1, 0]) rgb[to++] = bytes[from + colour] ?? 0;
    }
  }
  return rgb;
}
