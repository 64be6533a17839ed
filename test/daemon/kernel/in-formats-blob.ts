import { endianness } from 'node:os';

const LITTLE = endianness() === 'LE';

export interface Window {
  readonly modifier: bigint;
  /** Format that the lowest bit stands for. */
  readonly offset: number;
  readonly bits: bigint;
}

export interface BlobParts {
  readonly formats: readonly string[];
  readonly windows: readonly Window[];
  /** Bytes between header, formats, modifiers and end. */
  readonly gaps?: readonly [number, number, number];
  readonly version?: number;
}

/** Writes a blob as drm_mode.h describes it, with no help from the code under test. */
export function writeBlob({ formats, windows, gaps = [0, 0, 0], version = 1 }: BlobParts): Buffer {
  const formatsAt = 24 + gaps[0];
  const modifiersAt = formatsAt + 4 * formats.length + gaps[1];
  const blob = Buffer.alloc(modifiersAt + 24 * windows.length + gaps[2], 0xa5);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  [version, 0, formats.length, formatsAt, windows.length, modifiersAt].forEach((word, i) => {
    view.setUint32(4 * i, word, LITTLE);
  });
  formats.forEach((format, i) => {
    const code = [...Buffer.from(format, 'latin1')].reduceRight((sum, byte) => sum * 256 + byte, 0);
    view.setUint32(formatsAt + 4 * i, code, LITTLE);
  });
  windows.forEach(({ modifier, offset, bits }, i) => {
    const at = modifiersAt + 24 * i;
    view.setBigUint64(at, bits, LITTLE);
    view.setUint32(at + 8, offset, LITTLE);
    view.setUint32(at + 12, 0, LITTLE);
    view.setBigUint64(at + 16, modifier, LITTLE);
  });
  return blob;
}
