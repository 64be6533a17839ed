import type { WireValue, WireVariant } from '../../dbus/connection/bus-types.js';
import { BrokerError } from '../../dbus/errors.js';
import { LIMITS } from '../../dbus/names.js';
import { quote } from '../../dbus/quote.js';
import { wireReaders } from '../../dbus/wire-read.js';

/** Readers of single values. Each takes the field's name for the message and gives the value or throws InvalidRequest. */

/** What can be wrong with a field. */
export type FieldProblem =
  | 'descriptors'
  | 'empty'
  | 'excluded'
  | 'missing'
  | 'out-of-range'
  | 'repeated'
  | 'too-long'
  | 'too-many'
  | 'type'
  | 'unknown-key'
  | 'unknown-value';

/** A refusal that names the field and says what is accepted. */
export class FieldError extends BrokerError {
  /** `devices[1] pitch-multiple`, `buffer width`. */
  readonly field: string;
  readonly problem: FieldProblem;

  constructor(code: 'InvalidRequest' | 'TooManyBuffers', field: string, problem: FieldProblem, text: string) {
    super(code, `${field}: ${text}`);
    this.field = field;
    this.problem = problem;
  }
}

export const invalid = (field: string, problem: FieldProblem, text: string): FieldError =>
  new FieldError('InvalidRequest', field, problem, text);

function content(field: string, variant: WireVariant, signature: string): WireValue {
  if (variant.signature !== signature)
    throw invalid(field, 'type', `type ${quote(variant.signature)} was given, ${signature} is accepted`);
  return variant.value;
}

const mismatch = (field: string, signature: string): FieldError =>
  invalid(field, 'type', `the value is not of type ${signature}`);

const read = wireReaders(mismatch);

/** `u`, 0 to 2³²−1. */
export function uint32(field: string, variant: WireVariant): number {
  return read.number(content(field, variant, 'u'), field);
}

/** `u` from 1. */
export function positive32(field: string, variant: WireVariant): number {
  const value = uint32(field, variant);
  if (value < 1) throw invalid(field, 'out-of-range', '0 was given, 1 or more is accepted');
  return value;
}

/** `t` from 1. */
export function positive64(field: string, variant: WireVariant): bigint {
  const value = read.bigint(content(field, variant, 't'), field);
  if (value < 1n) throw invalid(field, 'out-of-range', '0 was given, 1 or more is accepted');
  return value;
}

/** `b`. */
export function boolean(field: string, variant: WireVariant): boolean {
  return read.boolean(content(field, variant, 'b'), field);
}

/** `s` of at most 255 bytes. */
export function text(field: string, variant: WireVariant): string {
  return boundedText(field, content(field, variant, 's'));
}

/** `o` of at most 255 bytes. */
export function objectPath(field: string, variant: WireVariant): string {
  return boundedText(field, content(field, variant, 'o'));
}

/** `as`, every string of at most 255 bytes. */
export function texts(field: string, variant: WireVariant): readonly string[] {
  return read.list(content(field, variant, 'as'), field).map((item) => boundedText(field, item));
}

/** `at`. */
export const uint64s = (field: string, variant: WireVariant): readonly bigint[] =>
  uint64sOf(field, content(field, variant, 'at'));

/** The `at` of a structure. */
export const uint64sOf = (field: string, value: WireValue): readonly bigint[] =>
  read.list(value, field).map((item) => read.bigint(item, field));

/** A list of structures, each as the list of its members. */
export const lists = (
  field: string,
  variant: WireVariant,
  signature: string,
): readonly (readonly WireValue[])[] =>
  read.list(content(field, variant, signature), field).map((item) => read.list(item, field));

/** A string of the message itself or of a variant. */
export function boundedText(field: string, value: WireValue): string {
  const string = read.string(value, field);
  const bytes = Buffer.byteLength(string);
  if (bytes > LIMITS.stringLength)
    throw invalid(
      field,
      'too-long',
      `${bytes} bytes were given, at most ${LIMITS.stringLength} are accepted`,
    );
  return string;
}
