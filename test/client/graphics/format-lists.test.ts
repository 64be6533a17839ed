import { endianness } from 'node:os';

import { describe, expect, it } from 'vitest';

import { eglFormats, linuxDmabufFormats } from '../../../client/graphics/format-lists.js';

const XR24 = 0x3432_5258;
const NV12 = 0x3231_564e;
const R8 = 0x2020_3852;
const Y_TILED = 0x0100_0000_0000_0002n;
const IMPLICIT = 0x00ff_ffff_ffff_ffffn;

/** A format table as the protocol has it (`zwp_linux_dmabuf_feedback_v1.format_table`). */
function table(...pairs: readonly (readonly [number, bigint])[]): Uint8Array {
  const isLittle = endianness() === 'LE';
  // It need not begin where its memory does.
  const bytes = new Uint8Array(4 + 16 * pairs.length).subarray(4);
  const view = new DataView(bytes.buffer, 4);
  for (const [index, [format, modifier]] of pairs.entries()) {
    view.setUint32(16 * index, format, isLittle);
    view.setUint32(16 * index + 4, 0xdead_beef, isLittle);
    view.setBigUint64(16 * index + 8, modifier, isLittle);
  }
  return bytes;
}

describe('linuxDmabufFormats', () => {
  const pairs = [
    [XR24, 0n],
    [NV12, 0n],
    [XR24, Y_TILED],
    [XR24, IMPLICIT],
    [R8, IMPLICIT],
    [XR24, Y_TILED],
    [XR24 + 2 ** 31, 0n],
  ] as const;

  it('gives each format once, with its explicit modifiers', () => {
    expect(linuxDmabufFormats(table(...pairs))).toEqual([
      { format: 'XR24', modifiers: [0n, Y_TILED] },
      { format: 'NV12', modifiers: [0n] },
    ]);
  });

  it('gives those of a tranche', () => {
    expect(linuxDmabufFormats(table(...pairs), [2, 1])).toEqual([
      { format: 'XR24', modifiers: [Y_TILED] },
      { format: 'NV12', modifiers: [0n] },
    ]);
    expect(linuxDmabufFormats(table(...pairs), [])).toEqual([]);
    expect(linuxDmabufFormats(table())).toEqual([]);
  });
});

describe('eglFormats', () => {
  const queried = [
    { format: R8, modifiers: [0n, Y_TILED], externalOnly: [false, false] },
    { format: XR24, modifiers: [0n, Y_TILED, IMPLICIT], externalOnly: [true, false, false] },
    { format: NV12, modifiers: [0n], externalOnly: [true] },
  ];

  it('leaves out for rendering what only an external texture can have', () => {
    expect(eglFormats(queried, 'render')).toEqual([
      { format: 'R8', modifiers: [0n, Y_TILED] },
      { format: 'XR24', modifiers: [Y_TILED] },
    ]);
  });

  it('takes numbers for booleans, as EGL has them, and nothing else', () => {
    const one = { format: XR24, modifiers: [0n, Y_TILED] };
    expect(eglFormats([{ ...one, externalOnly: [1, 0] }], 'render')).toEqual([
      { format: 'XR24', modifiers: [Y_TILED] },
    ]);
    expect(() => eglFormats([{ ...one, externalOnly: [2 as 1, 0] }], 'render')).toThrow(
      expect.objectContaining({ code: 'InvalidRequest' }) as Error,
    );
  });

  it('keeps it for a texture', () => {
    expect(eglFormats(queried, 'texture')).toEqual([
      { format: 'R8', modifiers: [0n, Y_TILED] },
      { format: 'XR24', modifiers: [0n, Y_TILED] },
      { format: 'NV12', modifiers: [0n] },
    ]);
  });
});
