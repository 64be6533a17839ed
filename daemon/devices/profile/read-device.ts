import type { Device, FormatFact, LimitFact, Mode } from '../inventory.js';
import type { Checker } from './checker.js';
import {
  BigLimitSchema,
  BitsLimitSchema,
  CountLimitSchema,
  DeviceFrameSchema,
  FlagLimitSchema,
  FormatsSchema,
  ModeSchema,
  OtherFormatSchema,
  PictureSchema,
} from './schema.js';

/** A device of the document, without what is malformed in its lists; undefined when it is itself. */
export function readDevice(checker: Checker, item: unknown, path: string): Device | undefined {
  const frame = checker.check(DeviceFrameSchema, item, path);
  if (frame === undefined) return undefined;
  const { otherNodes = [], otherNumbers = [], compatible = [], ...rest } = frame;
  const { formats, otherFormats, limits, modes, pictures, ...facts } = rest;
  const others = checker.list(otherFormats, `${path}.otherFormats`, (other, at) =>
    checker.check(OtherFormatSchema, other, at),
  );
  const cameras = checker.list(pictures, `${path}.pictures`, (picture, at) =>
    checker.check(PictureSchema, picture, at),
  );
  return {
    ...facts,
    otherNodes,
    otherNumbers,
    compatible,
    formats: checker.list(formats, `${path}.formats`, (entry, at) => readFormats(checker, entry, at)).flat(),
    ...(others.length > 0 && { otherFormats: others }),
    limits: checker.list(limits, `${path}.limits`, (limit, at) => readLimit(checker, limit, at)),
    modes: checker.list(modes, `${path}.modes`, (mode, at) => readMode(checker, mode, at)),
    ...(cameras.length > 0 && { pictures: cameras }),
  };
}

function readFormats(checker: Checker, item: unknown, path: string): readonly FormatFact[] | undefined {
  const entry = checker.check(FormatsSchema, item, path);
  if (entry === undefined) return undefined;
  const { formats, modifiers, uses, source } = entry;
  const list = modifiers.map((modifier) => BigInt(modifier));
  return formats.map((format) => ({ format, modifiers: list, uses, source }));
}

/** The name of the limit says of which type its value is. */
function readLimit(checker: Checker, item: unknown, path: string): LimitFact | undefined {
  const name = nameOf(item);
  if (isNameOf(BigLimitSchema, name)) {
    const limit = checker.check(BigLimitSchema, item, path);
    return limit && { ...limit, value: BigInt(limit.value) };
  }
  if (isNameOf(FlagLimitSchema, name)) return checker.check(FlagLimitSchema, item, path);
  if (isNameOf(BitsLimitSchema, name)) return checker.check(BitsLimitSchema, item, path);
  return checker.check(CountLimitSchema, item, path);
}

const nameOf = (item: unknown): unknown =>
  typeof item === 'object' && item !== null && 'limit' in item ? item.limit : undefined;

const isNameOf = (
  schema: { readonly properties: { readonly limit: { readonly enum: readonly string[] } } },
  name: unknown,
): boolean => schema.properties.limit.enum.some((known) => known === name);

function readMode(checker: Checker, item: unknown, path: string): Mode | undefined {
  const mode = checker.check(ModeSchema, item, path);
  return mode && { preferred: false, current: false, ...mode };
}
