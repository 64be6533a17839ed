/** What was read is not what was expected. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** Something that JSON held, until it is known what it is. Every look throws ShapeError when it is something else. */
export class Shape {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  text(): string {
    if (typeof this.value !== 'string') throw new ShapeError('not a text');
    return this.value;
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw new ShapeError('not true or false');
    return this.value;
  }

  /** A whole number from 0 that a double holds exactly. */
  count(): number {
    if (!Number.isSafeInteger(this.value) || Number(this.value) < 0) throw new ShapeError('not a count');
    return Number(this.value);
  }

  /** A number of 64 bits, written as text. */
  wide(): bigint {
    const text = this.text();
    if (!/^\d{1,20}$/.test(text)) throw new ShapeError('not a number');
    return BigInt(text);
  }

  oneOf<T extends string>(words: readonly T[]): T {
    const word = words.find((candidate) => candidate === this.value);
    if (word === undefined) throw new ShapeError(`not one of ${words.join(', ')}`);
    return word;
  }

  list(): readonly Shape[] {
    if (!Array.isArray(this.value)) throw new ShapeError('not a list');
    return this.value.map((value: unknown) => new Shape(value));
  }

  texts(): readonly string[] {
    return this.list().map((shape) => shape.text());
  }

  at(key: string): Shape {
    const shape = this.maybe(key);
    if (shape === undefined) throw new ShapeError(`no ${key}`);
    return shape;
  }

  maybe(key: string): Shape | undefined {
    if (typeof this.value !== 'object' || this.value === null) throw new ShapeError('not an object');
    const found: unknown = Object.getOwnPropertyDescriptor(this.value, key)?.value;
    return found === undefined ? undefined : new Shape(found);
  }
}
