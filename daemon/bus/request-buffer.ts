import type { WireValue, WireVariant } from '../../dbus/connection/bus-types.js';
import type { ImageSpec, NewRequest } from '../broker/broker-types.js';
import { fourcc, label, modifiers, type CallBudget } from './request-fields.js';
import { readDict, type KeyReader, type KeyReaders } from './wire-dict.js';
import { boolean, FieldError, invalid, objectPath, positive32, positive64, uint32 } from './wire-values.js';

interface Fields {
  width: number;
  height: number;
  format: string;
  modifiers: readonly bigint[];
  size: bigint;
  count: number;
  total: number;
  label: string;
  'error-data': boolean;
  /** Object path, as the client wrote it. */
  extends: string;
}

interface Draft {
  readonly budget: CallBudget;
  readonly fields: Partial<Fields>;
}

/** What the buffer's `a{sv}` says, each value checked by itself. */
export type BufferFields = Readonly<Partial<Fields>>;

type FieldReader<T> = (field: string, value: WireVariant, budget: CallBudget) => T;

function key<K extends keyof Fields>(name: K, read: FieldReader<Fields[K]>): [K, KeyReader<Draft>] {
  return [
    name,
    (draft, field, value) => {
      draft.fields[name] = read(field, value, draft.budget);
    },
  ];
}

const BUFFER_KEYS: KeyReaders<Draft> = new Map<string, KeyReader<Draft>>([
  key('width', positive32),
  key('height', positive32),
  key('format', fourcc),
  key('modifiers', (field, value, budget) => modifiers(budget, field, value)),
  key('size', positive64),
  key('count', (field, value, budget) => buffersInOneCall(budget, field, value)),
  key('total', positive32),
  key('extends', objectPath),
  key('label', label),
  key('error-data', boolean),
]);

function buffersInOneCall({ buffers }: CallBudget, field: string, value: WireVariant): number {
  const count = uint32(field, value);
  if (count < 1) throw invalid(field, 'out-of-range', `0 was given, 1 to ${buffers} is accepted`);
  if (count > buffers)
    throw new FieldError(
      'TooManyBuffers',
      field,
      'too-many',
      `${count} were requested, at most ${buffers} fit in one call; allocate the rest with further calls (total, extends)`,
    );
  return count;
}

/** Reads the buffer's `a{sv}`. @throws {BrokerError} InvalidRequest or TooManyBuffers */
export function readBuffer(buffer: WireValue, budget: CallBudget): BufferFields {
  const draft: Draft = { budget, fields: {} };
  readDict('buffer', buffer, BUFFER_KEYS, draft);
  return draft.fields;
}

const IMAGE_KEYS = ['width', 'height', 'format', 'modifiers'] as const;

/**
 * What a buffer that is not an extension is to hold.
 * @param imageLimit field of an entry's limit that speaks of an image, when there is one
 * @throws {BrokerError} InvalidRequest
 */
export function contentOf(fields: BufferFields, imageLimit: string | undefined): NewRequest['content'] {
  if (fields.size === undefined) return imageOf(fields);
  const image = IMAGE_KEYS.find((name) => fields[name] !== undefined);
  if (image !== undefined)
    throw invalid(
      `buffer ${image}`,
      'excluded',
      'not accepted together with size, which is memory without an image',
    );
  if (imageLimit !== undefined)
    throw invalid(imageLimit, 'excluded', 'not accepted when the buffer has a size and no image');
  return { size: fields.size };
}

function imageOf({ width, height, format, modifiers: accepted }: BufferFields): ImageSpec {
  if (width === undefined) throw missing('width');
  if (height === undefined) throw missing('height');
  if (format === undefined) throw missing('format');
  return { width, height, format, ...(accepted && { modifiers: accepted }) };
}

const missing = (name: string): FieldError =>
  invalid(
    `buffer ${name}`,
    'missing',
    'missing; give width, height and format, or size for memory without an image',
  );

/** How many buffers the request says. @throws {BrokerError} InvalidRequest */
export function countsOf({ count, total }: BufferFields): Pick<NewRequest, 'count' | 'total'> {
  if (count !== undefined && total !== undefined && total < count)
    throw invalid(
      'buffer total',
      'out-of-range',
      `${total} was given, at least count (${count}) is accepted`,
    );
  return { ...(count !== undefined && { count }), ...(total !== undefined && { total }) };
}
