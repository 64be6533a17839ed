/**
 * Matches a text for a person that names each of these values, in whatever words and order. The values are what the text must
 * not lose (a number, a path, a key); its sentence may be mended at any time.
 */
export const naming = (...values: readonly (string | number | bigint)[]): RegExp =>
  new RegExp(`^${values.map((value) => `(?=[^]*(?<!\\w)${escaped(String(value))}(?!\\w))`).join('')}`);

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
