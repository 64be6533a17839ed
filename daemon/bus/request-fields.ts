import type { WireVariant } from '../../dbus/connection/bus-types.js';
import { WIDEST, type Bounds } from '../../dbus/limits.js';
import { LIMITS, USES, type Use } from '../../dbus/names.js';
import { MODIFIER_INVALID } from '../constraints/constraint-types.js';
import { quote } from '../../dbus/quote.js';
import type { TakenFormat } from '../broker/broker-types.js';
import { boundedText, invalid, lists, text, texts, uint32, uint64s, uint64sOf } from './wire-values.js';

/** Readers of the fields that have rules of their own. All throw InvalidRequest. */

/** What a whole call may still bring; shared by its entries and its buffer. */
export interface CallBudget {
  modifiers: number;
  /** Of one descriptor each, that fit into the reply. */
  readonly buffers: number;
}

/** Explicit modifiers, at least one. */
export function modifiers(budget: CallBudget, field: string, value: WireVariant): readonly bigint[] {
  const list = uint64s(field, value);
  if (list.length === 0)
    throw invalid(field, 'empty', 'the list is empty, at least one modifier is accepted');
  return explicit(budget, field, list);
}

/** @throws {BrokerError} InvalidRequest when the call has too many, or one names no layout */
function explicit(budget: CallBudget, field: string, list: readonly bigint[]): readonly bigint[] {
  budget.modifiers -= list.length;
  if (budget.modifiers < 0)
    throw invalid(
      field,
      'too-many',
      `more than ${LIMITS.modifiersPerCall} modifiers in one call are not accepted`,
    );
  if (list.includes(MODIFIER_INVALID))
    throw invalid(
      field,
      'unknown-value',
      'DRM_FORMAT_MOD_INVALID was given, only explicit modifiers are accepted (0 is linear)',
    );
  return list;
}

/** `a(sat)`: formats, at least one and each once, with the modifiers of each. */
export function takenFormats(budget: CallBudget, field: string, value: WireVariant): readonly TakenFormat[] {
  const items = lists(field, value, 'a(sat)');
  if (items.length === 0) throw invalid(field, 'empty', 'the list is empty, at least one format is accepted');
  // A format costs as much as a modifier, so that a call cannot bring thousands without any.
  budget.modifiers -= items.length;
  const seen = new Set<string>();
  return items.map(([name = '', modifiers = []]) => {
    const format = fourccOf(field, boundedText(field, name));
    if (seen.has(format)) throw invalid(field, 'repeated', `${quote(format)} was given twice`);
    seen.add(format);
    return { format, modifiers: explicit(budget, field, uint64sOf(field, modifiers)) };
  });
}

const isUse = (name: string): name is Use => (USES as readonly string[]).includes(name);

/** Known uses, each once, at least one. */
export function uses(field: string, value: WireVariant): readonly Use[] {
  const found = new Set<Use>();
  for (const name of texts(field, value)) {
    if (!isUse(name))
      throw invalid(field, 'unknown-value', `${quote(name)} is not a use; accepted are ${USES.join(', ')}`);
    found.add(name);
  }
  if (found.size === 0)
    throw invalid(field, 'empty', `the list is empty; leave the key out, or give some of ${USES.join(', ')}`);
  return [...found];
}

/** A fourcc, given back padded to its four characters. */
export const fourcc = (field: string, value: WireVariant): string => fourccOf(field, text(field, value));

/** The same of a string by itself. */
export function fourccOf(field: string, name: string): string {
  if (!/^[!-~]{1,4} {0,3}$/.test(name) || name.length > 4)
    throw invalid(
      field,
      'unknown-value',
      `${quote(name)} is not a fourcc; a DRM format code such as XR24 or NV12 is accepted`,
    );
  return name.padEnd(4);
}

/** Text that the kernel's own tools will show. */
export function label(field: string, value: WireVariant): string {
  const name = text(field, value);
  const bytes = Buffer.byteLength(name);
  if (bytes > LIMITS.labelLength)
    throw invalid(field, 'too-long', `${bytes} bytes were given, at most ${LIMITS.labelLength} are accepted`);
  if (/\p{Cc}/u.test(name)) throw invalid(field, 'unknown-value', 'control characters are not accepted');
  return name;
}

/** `u` within the bounds of a limit. */
export function within({ least, most }: Bounds, field: string, value: WireVariant): number {
  const number = uint32(field, value);
  if (number >= least && number <= most) return number;
  const accepted = most === WIDEST ? `${least} or more` : `${least} to ${most}`;
  throw invalid(field, 'out-of-range', `${number} was given, ${accepted} is accepted`);
}
