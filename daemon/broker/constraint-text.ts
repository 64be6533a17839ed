import { preciseText } from '../sizing/amount.js';
import { LINEAR, type Constraint } from '../constraints/constraint-types.js';

/** Class of a memory by its handle. */
export type ClassOf = (handle: string) => string;

/** Values of a list that a message shows; a device can have hundreds of modifiers. */
const MAX_VALUES_SHOWN = 8;

/** One constraint for a person: `pitch-multiple 256 of /dev/dri/card0 (policy:FILE:LINE)`. */
export function constraintText(constraint: Constraint, classOf: ClassOf): string {
  return `${constraint.kind} ${valueText(constraint, classOf)}${subjectText(constraint, classOf)}`;
}

/** A memory for a person: `memory 3f9a… (contiguous)`, never by the heap behind it. */
export const memoryText = (handle: string, classOf: ClassOf): string =>
  `memory ${handle} (${classOf(handle)})`;

/** Whose it is: ` of /dev/dri/card0 (entry 1, kernel:IN_FORMATS)`. */
export function subjectText({ origin, memory }: Constraint, classOf: ClassOf): string {
  if (memory !== undefined) return ` of ${memoryText(memory, classOf)}`;
  if (origin.entry < 0) return ` of the ${origin.source}`;
  return ` of ${origin.device} (entry ${origin.entry}, ${origin.source})`;
}

/** A constraint's value for a person: LINEAR, yes, 4 KiB. */
export function valueText({ kind, value }: Constraint, classOf: ClassOf): string {
  if (kind === 'formats' || kind === 'modifiers') return listText(value, modifierText);
  if (kind === 'reach') return listText(value, (handle) => memoryText(handle, classOf));
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'bigint' ? preciseText(value) : String(value);
}

function listText<T>(items: readonly T[], text: (item: T) => string): string {
  if (items.length === 0) return 'none';
  const shown = items.slice(0, MAX_VALUES_SHOWN).map(text).join(', ');
  return items.length > MAX_VALUES_SHOWN ? `${shown} and ${items.length - MAX_VALUES_SHOWN} more` : shown;
}

export const modifierText = (modifier: bigint): string =>
  modifier === LINEAR ? 'LINEAR' : `0x${modifier.toString(16)}`;
