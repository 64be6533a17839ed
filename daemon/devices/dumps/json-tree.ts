import { DUMP_LIMITS, DumpError } from './dump-types.js';

/** Digits that JavaScript's own numbers may lose. */
const LONG_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d{16,}/g;

/**
 * Parses JSON whose integers have 64 bits (modifiers): long ones become strings of digits.
 * @throws {DumpError} with file and line
 */
export function parseWide(text: string, file: string): JsonTree {
  const safe = text.replace(LONG_NUMBER, (token) => (token.startsWith('"') ? token : `"${token}"`));
  try {
    return new JsonTree(JSON.parse(safe), file, '$');
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : '';
    const at = /position (\d+)/.exec(message)?.[1];
    const before = at === undefined ? safe : safe.slice(0, Number(at));
    throw new DumpError(`${file}:${before.split('\n').length}: is not JSON`, { cause });
  }
}

/** A place in a JSON document from a stranger. What is not of the asked type is an error that names the place. */
export class JsonTree {
  readonly #value: unknown;
  readonly #file: string;
  readonly path: string;

  constructor(value: unknown, file: string, path: string) {
    this.#value = value;
    this.#file = file;
    this.path = path;
  }

  /** Whether there is anything: neither absent nor null. */
  get isThere(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  get keys(): readonly string[] {
    return Object.keys(this.#object());
  }

  at(key: string): JsonTree {
    const object = this.isThere ? this.#object() : {};
    const value = Object.hasOwn(object, key) ? object[key] : undefined;
    return new JsonTree(
      value,
      this.#file,
      `${this.path}${/^\w+$/.test(key) ? `.${key}` : JSON.stringify([key])}`,
    );
  }

  /** Elements of a list; none where there is none. */
  list(most: number = DUMP_LIMITS.parts): readonly JsonTree[] {
    if (!this.isThere) return [];
    if (!Array.isArray(this.#value)) throw this.error('is not a list');
    if (this.#value.length > most) throw this.error(`has more than ${most} elements`);
    return this.#value.map((item, i) => new JsonTree(item, this.#file, `${this.path}[${i}]`));
  }

  integer(most: number): number | undefined {
    if (!this.isThere) return undefined;
    const value = this.#value;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
    throw this.error(`is not a whole number from 0 to ${most}`);
  }

  wide(): bigint | undefined {
    if (!this.isThere) return undefined;
    const digits = String(this.#value);
    if (/^\d{1,20}$/.test(digits) && BigInt(digits) < 2n ** 64n) return BigInt(digits);
    throw this.error('is not a number of 64 bits');
  }

  text(): string | undefined {
    if (!this.isThere) return undefined;
    if (typeof this.#value !== 'string') throw this.error('is not text');
    return this.#value;
  }

  error(problem: string): DumpError {
    return new DumpError(`${this.#file}: ${this.path}: ${problem}`);
  }

  #object(): Readonly<Record<string, unknown>> {
    if (typeof this.#value !== 'object' || this.#value === null || Array.isArray(this.#value))
      throw this.error('is not an object');
    return this.#value as Readonly<Record<string, unknown>>;
  }
}
