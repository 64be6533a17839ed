import type { FormatModifier } from './drm.js';
import { FORMAT_BLOB_CURRENT } from './drm-constants.js';
import { fourccOf } from './fourcc.js';
import { wordsOf } from './kernel-arrays.js';
import { KernelStruct } from './struct.js';

/** drm_mode.h */
export const formatModifierBlob = new KernelStruct('drm_format_modifier_blob', {
  version: 'uint32',
  flags: 'uint32',
  count_formats: 'uint32',
  formats_offset: 'uint32',
  count_modifiers: 'uint32',
  modifiers_offset: 'uint32',
});
export const formatModifier = new KernelStruct('drm_format_modifier', {
  formats: 'uint64',
  offset: 'uint32',
  pad: 'uint32',
  modifier: 'uint64',
});
const FORMAT_BYTES = Uint32Array.BYTES_PER_ELEMENT;

/** Far beyond what planes have, a few thousand, so that a small blob cannot become a large list. */
const MAX_PAIRS = 65_536;

/** What a blob says, or what of it is not as it should be. */
export type InFormats =
  | { readonly pairs: readonly FormatModifier[] }
  | { readonly malformed: 'header' | 'version' | 'formats' | 'modifiers' | 'size' };

/**
 * Reads the blob of a plane's IN_FORMATS: a list of formats, and for each modifier a window of 64 bits onto that list.
 * Takes any bytes and throws nothing; a bit beyond the end of the list stands for no format and is passed over.
 */
export function parseInFormats(blob: Buffer): InFormats {
  if (blob.length < formatModifierBlob.size) return { malformed: 'header' };
  const header = (member: (typeof formatModifierBlob.members)[number]): number =>
    formatModifierBlob.read(blob, 0, member);
  if (header('version') !== FORMAT_BLOB_CURRENT) return { malformed: 'version' };
  const formatsAt = header('formats_offset');
  const modifiersAt = header('modifiers_offset');
  const formatsEnd = formatsAt + header('count_formats') * FORMAT_BYTES;
  const modifiersEnd = modifiersAt + header('count_modifiers') * formatModifier.size;
  if (formatsEnd > blob.length) return { malformed: 'formats' };
  if (modifiersEnd > blob.length) return { malformed: 'modifiers' };

  const formats = wordsOf(blob.subarray(formatsAt, formatsEnd)).map(fourccOf);
  const pairs: FormatModifier[] = [];
  for (let at = modifiersAt; at < modifiersEnd; at += formatModifier.size) {
    const modifier = formatModifier.readWide(blob, at, 'modifier');
    const bits = formatModifier.readWide(blob, at, 'formats');
    const first = formatModifier.read(blob, at, 'offset');
    formats.slice(first, first + 64).forEach((format, bit) => {
      if (((bits >> BigInt(bit)) & 1n) === 1n) pairs.push({ format, modifier });
    });
    if (pairs.length > MAX_PAIRS) return { malformed: 'size' };
  }
  return { pairs };
}
