import { text as checkedText, unsigned } from '../check.js';

/** Who defines a modifier: its upper 8 bits (`DRM_FORMAT_MOD_VENDOR_*` of drm_fourcc.h). */
const VENDORS = [
  'NONE',
  'INTEL',
  'AMD',
  'NVIDIA',
  'SAMSUNG',
  'QCOM',
  'VIVANTE',
  'BROADCOM',
  'ARM',
  'ALLWINNER',
  'AMLOGIC',
  'MTK',
  'APPLE',
] as const;

const LINEAR = 0n;
const VENDOR_SHIFT = 56n;

/** `0x` and all 16 digits. */
export const modifierHex = (modifier: bigint): string => `0x${modifier.toString(16).padStart(16, '0')}`;

/** For a person: `LINEAR`, or the vendor and the number. @throws {DmabrokerError} InvalidRequest */
export function modifierName(modifier: bigint): string {
  unsigned(modifier, 64n, 'modifier');
  if (modifier === LINEAR) return 'LINEAR';
  const vendor = VENDORS[Number(modifier >> VENDOR_SHIFT)];
  return vendor === undefined ? modifierHex(modifier) : `${vendor}:${modifierHex(modifier)}`;
}

/** Reads what `modifierName` writes, and plain numbers; undefined for anything else. */
export function parseModifier(text: string): bigint | undefined {
  if (checkedText(text, 'text').toUpperCase() === 'LINEAR') return LINEAR;
  const [, vendor, digits] = /^(?:([A-Z]+):)?(0x[0-9a-f]{1,16}|[0-9]{1,20})$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const modifier = BigInt(digits);
  if (BigInt.asUintN(64, modifier) !== modifier) return undefined;
  return vendor === undefined || modifierName(modifier).startsWith(`${vendor.toUpperCase()}:`)
    ? modifier
    : undefined;
}
