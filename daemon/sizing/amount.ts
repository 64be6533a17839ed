const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes for a person, rounded to tenths of the largest unit that they fill: `58.8 MiB`, `64 MiB`, `512 bytes`. */
export function amountText(bytes: bigint): string {
  const power = Math.max(
    0,
    UNITS.findLastIndex((_, index) => bytes >= 1n << BigInt(10 * index)),
  );
  const unit = 1n << BigInt(10 * power);
  const tenths = (bytes * 10n + unit / 2n) / unit;
  // 1023.96 MiB are a GiB to a reader.
  if (tenths === 10_240n && power < UNITS.length - 1) return `1 ${UNITS[power + 1] ?? ''}`;
  const fraction = tenths % 10n === 0n ? '' : `.${tenths % 10n}`;
  return `${tenths / 10n}${fraction} ${UNITS[power] ?? ''}`;
}

/** Bytes beyond these are no size that a person knows. */
const MOST_IN_UNITS = 1n << 50n;

/** The same without a loss, for a text that compares sizes: `64 MiB`, `7.9 MiB (8294400 bytes)`. */
export function preciseText(bytes: bigint): string {
  if (bytes >= MOST_IN_UNITS) return `${bytes} bytes`;
  const power = Math.max(
    0,
    UNITS.findLastIndex((_, index) => bytes >= 1n << BigInt(10 * index)),
  );
  const isExact = bytes % (1n << BigInt(10 * power)) === 0n;
  return isExact ? amountText(bytes) : `${amountText(bytes)} (${bytes} bytes)`;
}
