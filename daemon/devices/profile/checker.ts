import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';

export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** Checks parts of one document, and tells what is wrong with them by file name and JSON path. */
export class Checker {
  readonly #file: string;
  readonly #warnings: string[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /** What was found wrong so far. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  warn(path: string, text: string): void {
    this.#warnings.push(this.describe(path, text));
  }

  describe(path: string, text: string): string {
    return `${this.#file}: ${path}: ${text}`;
  }

  /** The value, when it is of the schema; a warning and undefined otherwise. */
  check<T extends TSchema>(schema: T, value: unknown, path: string): Static<T> | undefined {
    const checked = this.parse(schema, value, path);
    if (checked.ok) return checked.value;
    this.#warnings.push(`${checked.problem}; left out`);
    return undefined;
  }

  /** The value of the schema, or what is wrong with it. Unknown keys are told and passed over. */
  parse<T extends TSchema>(schema: T, value: unknown, path: string): Checked<Static<T>> {
    const known = Value.Clean(schema, structuredClone(value));
    this.#tellUnknown(value, known, path);
    const [error] = Value.Errors(schema, known);
    return error === undefined
      ? { ok: true, value: known as Static<T> }
      : { ok: false, problem: this.describe(path + jsonPath(error.instancePath), error.message) };
  }

  /** What `read` makes of each element of a list that may be absent. */
  list<T>(value: unknown, path: string, read: (item: unknown, path: string) => T | undefined): readonly T[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.warn(path, 'must be array; left out');
      return [];
    }
    return value.map((item, i) => read(item, `${path}[${i}]`)).filter((item) => item !== undefined);
  }

  #tellUnknown(value: unknown, known: unknown, path: string): void {
    if (!isObject(value) || !isObject(known)) return;
    for (const [key, item] of Object.entries(value)) {
      const at = path + member(key);
      if (Object.hasOwn(known, key)) this.#tellUnknown(item, known[key], at);
      else this.warn(at, 'unknown key, ignored');
    }
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** A JSON pointer as a path: `/formats/0` becomes `.formats[0]`. */
const jsonPath = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => member(step.replaceAll('~1', '/').replaceAll('~0', '~')))
    .join('');

const member = (key: string): string => {
  if (/^\d+$/.test(key)) return `[${key}]`;
  return /^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
};
