import type { SizeContext } from './policy.js';

/** An amount of memory that is reckoned on the machine: `min(25%, 1G)`, `80% of heap`, `6 frames + 1M`. */
export type SizeExpression =
  | { readonly kind: 'bytes'; readonly bytes: bigint }
  /** So many millionths of a percent of RAM, or of the heap behind the pool. */
  | { readonly kind: 'share'; readonly of: 'ram' | 'heap'; readonly millionths: bigint }
  /** Pictures of the largest display's size. */
  | { readonly kind: 'frames'; readonly count: bigint }
  | { readonly kind: 'min' | 'max' | 'sum'; readonly terms: readonly SizeExpression[] };

/** Digits behind the point of a percentage. */
export const PERCENT_DIGITS = 6;
const HUNDRED_PERCENT = 100n * 10n ** BigInt(PERCENT_DIGITS);

/** A frame's bytes for one pixel: the largest format that displays commonly show (XR24). */
export const BYTES_PER_PIXEL = 4n;

/** Binary, as systemd's are; the largest first. */
export const UNITS: readonly (readonly [string, bigint])[] = [
  ['T', 2n ** 40n],
  ['G', 2n ** 30n],
  ['M', 2n ** 20n],
  ['K', 2n ** 10n],
];

/**
 * Bytes, exactly; each share is rounded down. A heap with no size of its own is as large as RAM.
 */
export function evaluate(size: SizeExpression, context: SizeContext): bigint {
  switch (size.kind) {
    case 'bytes':
      return size.bytes;
    case 'share':
      return (shared(size.of, context) * size.millionths) / HUNDRED_PERCENT;
    case 'frames':
      return size.count * BigInt(context.frame.width) * BigInt(context.frame.height) * BYTES_PER_PIXEL;
    case 'sum':
      return size.terms.reduce((sum, term) => sum + evaluate(term, context), 0n);
    case 'min':
    case 'max':
      return size.terms
        .map((term) => evaluate(term, context))
        .reduce((best, next) => (next < best === (size.kind === 'min') ? next : best));
  }
}

const shared = (of: 'ram' | 'heap', context: SizeContext): bigint =>
  of === 'heap' ? (context.heap ?? context.ram) : context.ram;

/** Whether it needs to know the heap behind a pool. */
export const speaksOfHeap = (size: SizeExpression): boolean =>
  'terms' in size ? size.terms.some(speaksOfHeap) : size.kind === 'share' && size.of === 'heap';

/** In the syntax of the policy files; reading it gives an equal expression. */
export function printSize(size: SizeExpression): string {
  switch (size.kind) {
    case 'bytes':
      return printBytes(size.bytes);
    case 'share':
      return `${printPercent(size.millionths)}%${size.of === 'heap' ? ' of heap' : ''}`;
    case 'frames':
      return `${size.count} ${size.count === 1n ? 'frame' : 'frames'}`;
    case 'sum':
      return size.terms.map(printSize).join(' + ');
    case 'min':
    case 'max':
      return `${size.kind}(${size.terms.map(printSize).join(', ')})`;
  }
}

/** In the largest unit that divides it. */
export function printBytes(bytes: bigint): string {
  const [name, unit] = UNITS.find(([, unit]) => bytes !== 0n && bytes % unit === 0n) ?? ['', 1n];
  return `${bytes / unit}${name}`;
}

function printPercent(millionths: bigint): string {
  const one = 10n ** BigInt(PERCENT_DIGITS);
  const fraction = (millionths % one).toString().padStart(PERCENT_DIGITS, '0').replace(/0+$/, '');
  return fraction === '' ? `${millionths / one}` : `${millionths / one}.${fraction}`;
}
