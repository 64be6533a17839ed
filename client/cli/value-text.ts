import { limitsOf } from '../../dbus/limits.js';
import { modifierName } from '../graphics/modifiers.js';
import { fdSizesOf, type ConstraintInfo, type Layout, type Value } from '../model.js';
import type { MemoryName } from './memory-names.js';
import { bytesText } from './numbers.js';

/** Values of the broker, said for a person. */

const MODIFIER_CONSTRAINTS: readonly string[] = ['modifiers', 'formats'];
/** Constraints of 64 bits count bytes. */
const BYTE_CONSTRAINTS: readonly string[] = ['size', ...limitsOf('t')];

/** The last part of an object path. */
export const idOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** As much of an id as a person needs to name an allocation among others. */
export const shortId = (path: string): string => idOf(path).slice(0, 12);

export const modifiersText = (modifiers: readonly bigint[]): string =>
  modifiers.length === 0 ? 'none' : modifiers.map(modifierName).join(' ');

/** The same in short: a device can have hundreds, and how many of each vendor is enough to see what happened. */
export function modifiersSummary(modifiers: readonly bigint[]): string {
  if (modifiers.length <= MAX_MODIFIERS_SHOWN) return modifiersText(modifiers);
  const counts = new Map<string, number>();
  for (const modifier of modifiers) {
    const [vendor = ''] = modifierName(modifier).split(':');
    counts.set(vendor, (counts.get(vendor) ?? 0) + 1);
  }
  return [...counts].map(([vendor, count]) => (count === 1 ? vendor : `${count} of ${vendor}`)).join(', ');
}

/** Modifiers that are named one by one. */
const MAX_MODIFIERS_SHOWN = 2;

/** `XR24 1920 × 1080`, or `8 MiB` for memory with no image. */
export const contentText = (layout: Layout): string =>
  'format' in layout ? `${layout.format} ${layout.width} × ${layout.height}` : bytesText(layout.size);

/** Pairs of a table that describe a layout. */
export function layoutPairs(
  layout: Layout,
  memory: MemoryName,
): readonly (readonly [name: string, values: readonly string[]])[] {
  const image =
    'format' in layout
      ? [
          ['image', [`${contentText(layout)}, ${modifierName(layout.modifier)}`]] as const,
          [
            'planes',
            layout.planes.map(({ offset, pitch }, index) => {
              const fd = layout.planeFds?.[index];
              return `${index}: offset ${offset}, pitch ${pitch}${fd === undefined ? '' : `, descriptor ${fd}`}`;
            }),
          ] as const,
        ]
      : [];
  return [
    ...image,
    ['size', [sizeText(layout)]],
    ['buffers', [String(layout.count)]],
    ['CPU access', [layout.cpuAccess]],
    ['pool', [memory(layout.pool)]],
  ];
}

function sizeText(layout: Layout): string {
  const { size } = layout;
  const parts = fdSizesOf(layout);
  const of = parts.length > 1 ? `: ${parts.join(' + ')}` : '';
  return `${size} bytes (${bytesText(size)})${of}`;
}

export function valueText({ constraint, value }: ConstraintInfo, memory: MemoryName): string {
  if (MODIFIER_CONSTRAINTS.includes(constraint) && isList(value)) {
    return modifiersSummary(value.filter((each) => typeof each === 'bigint'));
  }
  if (constraint === 'reach' && isList(value)) {
    return value.length === 0 ? 'none' : value.map((handle) => memory(String(handle))).join(', ');
  }
  if (BYTE_CONSTRAINTS.includes(constraint) && typeof value === 'bigint') return bytesText(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return plainText(value);
}

export const plainText = (value: Value): string =>
  isList(value) ? value.map(plainText).join(' ') : String(value);

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
