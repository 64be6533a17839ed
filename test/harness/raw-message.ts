/**
 * Messages built by hand, right or wrong: a marshaller of its own, so that what is under test is not its own judge. It
 * checks nothing.
 */

export type RawValue = number | bigint | boolean | string | readonly RawValue[];

export interface RawField {
  readonly code: number;
  readonly signature: string;
  readonly value: RawValue;
}

export interface RawMessage {
  readonly type?: number;
  readonly flags?: number;
  readonly version?: number;
  readonly serial?: number;
  /** `l` or `B`; any other character is written as it is, with little-endian values. */
  readonly order?: string;
  readonly fields?: readonly RawField[];
  readonly body?: Buffer;
  /** Written in place of the real lengths, in bytes. */
  readonly bodyLength?: number;
  readonly fieldsLength?: number;
}

export const CALL = 1;
export const REPLY = 2;
export const ERROR = 3;
export const SIGNAL = 4;

/** Header fields by the names of the specification. A dictionary is a list of `[key, value]`, a variant `[signature, value]`. */
export const field = {
  path: (value: string): RawField => ({ code: 1, signature: 'o', value }),
  interface: (value: string): RawField => ({ code: 2, signature: 's', value }),
  member: (value: string): RawField => ({ code: 3, signature: 's', value }),
  errorName: (value: string): RawField => ({ code: 4, signature: 's', value }),
  replySerial: (value: number): RawField => ({ code: 5, signature: 'u', value }),
  destination: (value: string): RawField => ({ code: 6, signature: 's', value }),
  sender: (value: string): RawField => ({ code: 7, signature: 's', value }),
  signature: (value: string): RawField => ({ code: 8, signature: 'g', value }),
  unixFds: (value: number): RawField => ({ code: 9, signature: 'u', value }),
};

export function rawMessage(message: RawMessage): Buffer {
  const { type = CALL, flags = 0, version = 1, serial = 1, order = 'l', fields = [] } = message;
  const body = message.body ?? Buffer.alloc(0);
  const little = order !== 'B';
  const list = fields.map(({ code, signature, value }) => [code, [signature, value]]);
  const header = marshal(
    'yyyyuua(yv)',
    [order.charCodeAt(0), type, flags, version, message.bodyLength ?? body.length, serial, list],
    little,
  );
  if (message.fieldsLength !== undefined) writeUint32(header, 12, message.fieldsLength, little);
  const padding = Buffer.alloc((8 - (header.length % 8)) % 8);
  return Buffer.concat([header, padding, body]);
}

/** Marshals values of a signature, from a position that is a multiple of 8. */
export function marshal(signature: string, values: readonly RawValue[], little = true): Buffer {
  const out = new Output(little);
  let rest = signature;
  for (const value of values) {
    const type = firstType(rest);
    rest = rest.slice(type.length);
    out.put(type, value);
  }
  return out.bytes;
}

/** The first complete type of a signature. */
function firstType(signature: string): string {
  const char = signature.charAt(0);
  if (char === 'a') return char + firstType(signature.slice(1));
  if (char !== '(' && char !== '{') return char;
  let depth = 0;
  for (let i = 0; i < signature.length; i++) {
    if ('({'.includes(signature.charAt(i))) depth += 1;
    if (')}'.includes(signature.charAt(i))) depth -= 1;
    if (depth === 0) return signature.slice(0, i + 1);
  }
  throw new Error(`no complete type: ${signature}`);
}

function writeUint32(bytes: Buffer, at: number, value: number, little: boolean): void {
  if (little) bytes.writeUInt32LE(value, at);
  else bytes.writeUInt32BE(value, at);
}

const SIZES: Readonly<Record<string, number>> = { n: 2, q: 2, b: 4, i: 4, u: 4, h: 4, x: 8, t: 8, d: 8 };
const alignmentOf = (type: string): number => {
  const char = type.charAt(0);
  if (char === '(' || char === '{') return 8;
  return 'sao'.includes(char) ? 4 : (SIZES[char] ?? 1);
};

class Output {
  readonly #little: boolean;
  #bytes: number[] = [];

  constructor(little: boolean) {
    this.#little = little;
  }

  get bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }

  put(type: string, value: RawValue): void {
    while (this.#bytes.length % alignmentOf(type) !== 0) this.#bytes.push(0);
    const char = type.charAt(0);
    if (Array.isArray(value)) this.#container(type, value as readonly RawValue[]);
    else if (char === 'y') this.#bytes.push(Number(value));
    else if (char === 'g') this.#text(String(value), 1);
    else if (char === 's' || char === 'o') this.#text(String(value), 4);
    else this.#number(char, value);
  }

  #container(type: string, values: readonly RawValue[]): void {
    const char = type.charAt(0);
    if (char === 'v') {
      const [signature, value] = values;
      this.#text(String(signature), 1);
      this.put(String(signature), value ?? 0);
    } else if (char === 'a') this.#array(type.slice(1), values);
    else {
      let rest = type.slice(1, -1);
      for (const value of values) {
        const inner = firstType(rest);
        rest = rest.slice(inner.length);
        this.put(inner, value);
      }
    }
  }

  #array(element: string, values: readonly RawValue[]): void {
    const lengthAt = this.#bytes.length;
    this.#integer(0n, 4);
    while (this.#bytes.length % alignmentOf(element) !== 0) this.#bytes.push(0);
    const start = this.#bytes.length;
    for (const value of values) this.put(element, value);
    const end = this.#bytes.length;
    const length = new Output(this.#little);
    length.#integer(BigInt(end - start), 4);
    this.#bytes.splice(lengthAt, 4, ...length.#bytes);
  }

  #text(value: string, lengthSize: 1 | 4): void {
    const bytes = Buffer.from(value);
    this.#integer(BigInt(bytes.length), lengthSize);
    for (const byte of bytes) this.#bytes.push(byte);
    this.#bytes.push(0);
  }

  #number(char: string, value: RawValue): void {
    const size = SIZES[char] ?? 1;
    if (char !== 'd') {
      this.#integer(BigInt(value as number | bigint | boolean), size);
      return;
    }
    const bytes = Buffer.alloc(8);
    if (this.#little) bytes.writeDoubleLE(Number(value));
    else bytes.writeDoubleBE(Number(value));
    this.#bytes.push(...bytes);
  }

  #integer(value: bigint, size: number): void {
    const bytes = Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
    this.#bytes.push(...(this.#little ? bytes : bytes.reverse()));
  }
}
