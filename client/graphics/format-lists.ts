import { invalid, list, oneOf, record, unsigned } from '../check.js';
import type { FormatInfo } from '../model.js';
import { fourccName } from './fourcc.js';

/** Bytes of an entry of the format table: a format, four unused bytes and a modifier, in the machine's byte order. */
const ENTRY_BYTES = 16;
const MODIFIER_AT = 8;
/** DRM_FORMAT_MOD_INVALID: a layout that only one driver knows, which cannot be asked for. */
const IMPLICIT = 0x00ff_ffff_ffff_ffffn;

/**
 * The formats of linux-dmabuf feedback, as an entry of a request lists them. Pairs with an implicit modifier are left out.
 *
 * @param table the mapped `format_table`
 * @param tranche indices of `tranche_formats`; all of the table without it
 * @throws {DmabrokerError} InvalidRequest when the table ends within an entry, or has no entry of an index
 *
 * @example
 * ```ts
 * import { linuxDmabufFormats } from 'dmabroker';
 *
 * const table = new Uint8Array(16);
 * new Uint32Array(table.buffer)[0] = 0x34325258;
 * console.log(linuxDmabufFormats(table)); // [ { format: 'XR24', modifiers: [ 0n ] } ]
 * ```
 */
export function linuxDmabufFormats(table: Uint8Array, tranche?: readonly number[]): FormatInfo[] {
  if (!(table instanceof Uint8Array)) throw invalid('table', 'bytes are wanted');
  if (table.length % ENTRY_BYTES !== 0) throw invalid('table', `its entries have ${ENTRY_BYTES} bytes each`);
  const count = table.length / ENTRY_BYTES;
  const entries = new DataView(table.buffer, table.byteOffset, table.length);
  const indices =
    tranche === undefined
      ? Array.from({ length: count }, (_, index) => index)
      : list(tranche, 'tranche', (index, what) => {
          const place = Number(unsigned(index, 16n, what));
          if (place < count) return place;
          throw invalid(what, `the table has ${count} entries`);
        });
  return grouped(
    indices.map((index) => ({
      code: entries.getUint32(index * ENTRY_BYTES, IS_LITTLE_ENDIAN),
      modifier: entries.getBigUint64(index * ENTRY_BYTES + MODIFIER_AT, IS_LITTLE_ENDIAN),
    })),
  );
}

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** What `eglQueryDmaBufModifiersEXT` says of one format of `eglQueryDmaBufFormatsEXT`. */
export interface EglFormat {
  /** The number of a DRM format. */
  readonly format: number;
  readonly modifiers: readonly bigint[];
  /** For each modifier, whether only an external texture can have it, which cannot be rendered to. */
  readonly externalOnly: readonly (boolean | 0 | 1)[];
}

/**
 * The formats that EGL takes, as an entry of a request lists them: for `render` without those that only an external texture
 * can have. A format without any modifier is left out.
 *
 * @throws {DmabrokerError} InvalidRequest
 *
 * @example
 * ```ts
 * import { eglFormats } from 'dmabroker';
 *
 * const queried = [{ format: 0x34325258, modifiers: [0n, 72057594037927938n], externalOnly: [true, false] }];
 * console.log(eglFormats(queried, 'render')); // [ { format: 'XR24', modifiers: [ 72057594037927938n ] } ]
 * ```
 */
export function eglFormats(queried: readonly EglFormat[], use: 'render' | 'texture'): FormatInfo[] {
  const isRendered = oneOf(use, ['render', 'texture'], 'use') === 'render';
  const pairs = list(queried, 'queried', (item, what) => {
    const { format, modifiers, externalOnly } = record(item, what);
    const external = list(externalOnly, `${what}.externalOnly`, externalFlag);
    const listed = list(modifiers, `${what}.modifiers`, (each, name) => unsigned(each, 64n, name));
    if (external.length !== listed.length)
      throw invalid(`${what}.externalOnly`, 'it has one for each modifier');
    const code = Number(unsigned(format, 32n, `${what}.format`));
    return listed
      .filter((_, place) => !(isRendered && external[place] === true))
      .map((modifier) => ({ code, modifier }));
  });
  return grouped(pairs.flat());
}

/** An EGLBoolean is a number, which bindings hand on or make a boolean of. */
function externalFlag(value: unknown, what: string): boolean {
  if (value === true || value === 1) return true;
  if (value === false || value === 0) return false;
  throw invalid(what, 'a boolean, 0 or 1 is wanted');
}

interface Pair {
  readonly code: number;
  readonly modifier: bigint;
}

/** Each format once, in the order in which they come. */
function grouped(pairs: readonly Pair[]): FormatInfo[] {
  const modifiers = new Map<number, Set<bigint>>();
  for (const { code, modifier } of pairs) {
    if (modifier === IMPLICIT || !isNamed(code)) continue;
    const known = modifiers.get(code);
    if (known === undefined) modifiers.set(code, new Set([modifier]));
    else known.add(modifier);
  }
  return [...modifiers].map(([code, all]) => ({ format: fourccName(code), modifiers: [...all] }));
}

/** Whether a number is made of printable characters; big-endian variants of formats are not, and no request names them. */
const isNamed = (code: number): boolean =>
  [0, 8, 16, 24].every((shift) => {
    const character = (code >>> shift) & 0xff;
    return character >= 0x20 && character <= 0x7e;
  });
