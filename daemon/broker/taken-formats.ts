import type { Constraint } from '../constraints/constraint-types.js';
import type { NewRequest } from './broker-types.js';
import type { DeviceIndex } from './device-index.js';

/** Formats that a sentence names. */
const MAX_NAMED = 12;

/** For each device of a conflict that does not take the format: what it does take, for a person. */
export function takenFormats(
  conflict: readonly Constraint[],
  { entries }: Pick<NewRequest, 'entries'>,
  index: DeviceIndex,
): readonly string[] {
  return conflict.flatMap(({ kind, value, origin }) => {
    if (kind !== 'formats' || value.length > 0) return [];
    const device = index.device(origin.device);
    const uses = entries[origin.entry]?.uses ?? [];
    const facts = device?.formats.filter((fact) => fact.uses.some((use) => uses.includes(use))) ?? [];
    const names = [...new Set(facts.map(({ format }) => format.trimEnd()))];
    if (names.length === 0) return [`${origin.device} takes no format that is known here.`];
    const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
    return [`${origin.device} takes ${names.slice(0, MAX_NAMED).join(', ')}${more} for ${uses.join(', ')}.`];
  });
}
