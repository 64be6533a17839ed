/** Format modifiers, put together as the macros of drm_fourcc.h do. */

const VENDORS = { intel: 1, amd: 2, nvidia: 3, qcom: 5, broadcom: 7, arm: 8 } as const;

const modifier = (vendor: keyof typeof VENDORS, value: bigint): bigint =>
  (BigInt(VENDORS[vendor]) << 56n) | value;

export const LINEAR = 0n;

export const INTEL_X_TILED = modifier('intel', 1n);
const INTEL_Y_TILED = modifier('intel', 2n);
/** What a display engine of version 12 or 13 scans out, in the driver's order. */
export const INTEL_GEN12 = {
  media: modifier('intel', 7n),
  clearColor: modifier('intel', 8n),
  render: modifier('intel', 6n),
  yTiled: INTEL_Y_TILED,
};

export const QCOM_COMPRESSED = modifier('qcom', 1n);

export const VC4_T_TILED = modifier('broadcom', 1n);
/** Columns of 64, 128 or 256 bytes; the height of a column is a parameter that a plane leaves open (0). */
export const SAND64 = modifier('broadcom', 3n);
export const SAND128 = modifier('broadcom', 4n);
export const SAND256 = modifier('broadcom', 5n);

/** DRM_FORMAT_MOD_NVIDIA_BLOCK_LINEAR_2D: uncompressed desktop layout of Turing and later, blocks of 2^height GOBs. */
export const nvidiaBlockLinear = (height: number): bigint =>
  modifier('nvidia', 0x10n | BigInt(height) | (0x06n << 12n) | (2n << 20n) | (1n << 22n));

const AFBC = { block16x16: 1n, ytr: 1n << 4n, split: 1n << 5n, sparse: 1n << 6n, cbr: 1n << 7n } as const;
type AfbcFlag = Exclude<keyof typeof AFBC, 'block16x16'>;

/** DRM_FORMAT_MOD_ARM_AFBC with blocks of 16 × 16 pixels. */
export const afbc = (...flags: readonly AfbcFlag[]): bigint =>
  modifier(
    'arm',
    flags.reduce<bigint>((bits, flag) => bits | AFBC[flag], AFBC.block16x16),
  );

/** Where each field of an AMD modifier starts (AMD_FMT_MOD_…_SHIFT). */
const AMD_SHIFTS = {
  tileVersion: 0n,
  tile: 8n,
  dcc: 13n,
  dccRetile: 14n,
  dccIndependent64: 16n,
  dccIndependent128: 17n,
  dccMaxBlock: 18n,
  dccConstantEncode: 20n,
  pipeXorBits: 21n,
  packers: 27n,
} as const;

const amd = (fields: Partial<Record<keyof typeof AMD_SHIFTS, number>>): bigint =>
  Object.entries(fields).reduce(
    (bits, [field, value]) => bits | (BigInt(value) << AMD_SHIFTS[field as keyof typeof AMD_SHIFTS]),
    modifier('amd', 0n),
  );

const TILE = { s: 9, d: 10, sX: 25, rX: 27, rX256: 31 } as const;
const VERSION = { gfx9: 1, gfx10Rbplus: 3, gfx11: 4 } as const;

/** A layout with compression can be scanned out only of formats with 4 bytes a pixel. */
export interface AmdModifiers {
  readonly compressed: readonly bigint[];
  readonly tiled: readonly bigint[];
  /** Swizzle D: only of formats with 8 bytes a pixel. */
  readonly tiledWide: readonly bigint[];
}

/** What RDNA 2 scans out. @param pipes log2 of the pipes @param packers log2 of the packers */
export function amdRdna2(pipes: number, packers: number): AmdModifiers {
  const rX = { tileVersion: VERSION.gfx10Rbplus, tile: TILE.rX, pipeXorBits: pipes, packers };
  const small = { ...rX, dcc: 1, dccConstantEncode: 1, dccIndependent64: 1, dccIndependent128: 1 };
  const large = { ...rX, dcc: 1, dccConstantEncode: 1, dccIndependent128: 1, dccMaxBlock: 1 };
  return {
    compressed: [small, large, { ...small, dccRetile: 1 }, { ...large, dccRetile: 1 }].map(amd),
    tiled: [amd(rX), amd({ ...rX, tile: TILE.sX }), amd({ tileVersion: VERSION.gfx9, tile: TILE.s })],
    tiledWide: [amd({ tileVersion: VERSION.gfx9, tile: TILE.d })],
  };
}

/** What RDNA 3 scans out. @param pipes log2 of the pipes @param packers log2 of the packers */
export function amdRdna3(pipes: number, packers: number): AmdModifiers {
  const shared = { tileVersion: VERSION.gfx11, pipeXorBits: pipes, packers };
  // With more than 16 pipes the larger blocks are better.
  const tiles = pipes > 4 ? [TILE.rX256, TILE.rX] : [TILE.rX, TILE.rX256];
  const compressed = tiles.flatMap((tile) => {
    const best = { ...shared, tile, dcc: 1, dccIndependent128: 1, dccMaxBlock: 1 };
    const large = { ...shared, tile, dcc: 1, dccIndependent64: 1, dccIndependent128: 1 };
    return [best, large, { ...best, dccRetile: 1 }, { ...large, dccRetile: 1 }].map(amd);
  });
  return {
    compressed,
    tiled: tiles.map((tile) => amd({ ...shared, tile })),
    tiledWide: [amd({ tileVersion: VERSION.gfx11, tile: TILE.d })],
  };
}
