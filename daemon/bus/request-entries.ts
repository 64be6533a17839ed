import type { WireValue, WireVariant } from '../../dbus/connection/types.js';
import { LIMITS, type Use } from '../../dbus/names.js';
import type { ClientLimits, Entry } from '../broker/types.js';
import { addressBits, modifiers, uses, type CallBudget } from './request-fields.js';
import { readDict, type KeyReader, type KeyReaders } from './wire-dict.js';
import { boolean, boundedText, invalid, isList, positive32, positive64, uint32 } from './wire-values.js';

type Limits = { -readonly [K in keyof ClientLimits]-?: Exclude<ClientLimits[K], undefined> };

interface Draft {
  readonly budget: CallBudget;
  readonly limits: Partial<Limits>;
  uses?: readonly Use[];
}

type LimitReader<T> = (field: string, value: WireVariant, budget: CallBudget) => T;

function limit<K extends keyof Limits>(key: K, read: LimitReader<Limits[K]>): [K, KeyReader<Draft>] {
  return [
    key,
    (draft, field, value) => {
      draft.limits[key] = read(field, value, draft.budget);
    },
  ];
}

/** Limits that speak of an image; memory with no image in it cannot keep them. */
const IMAGE_LIMITS: KeyReaders<Draft> = new Map([
  limit('modifiers', (field, value, budget) => modifiers(budget, field, value)),
  limit('pitch-multiple', positive32),
  limit('pitch-exact', positive32),
  limit('pitch-linked', boolean),
  limit('pitch-min', uint32),
  limit('pitch-max', positive32),
  limit('offset-multiple', positive32),
  limit('height-multiple', positive32),
  limit('max-width', positive32),
  limit('max-height', positive32),
]);

const MEMORY_LIMITS: KeyReaders<Draft> = new Map([
  limit('size-multiple', positive64),
  limit('contiguous', boolean),
  limit('protected', boolean),
  limit('address-bits', addressBits),
  limit('min-buffers', uint32),
]);

const USES_KEY: readonly [string, KeyReader<Draft>] = [
  'uses',
  (draft, field, value) => {
    draft.uses = uses(field, value);
  },
];

const ENTRY_KEYS: KeyReaders<Draft> = new Map([USES_KEY, ...IMAGE_LIMITS, ...MEMORY_LIMITS]);

/** The participants of a request, with what of their limits speaks of an image. */
export interface Participants {
  readonly entries: readonly Entry[];
  /** Field of the first limit that memory with no image in it cannot keep; undefined when there is none. */
  readonly imageLimit: string | undefined;
}

/**
 * Reads the `a(sa{sv})` of a request.
 * @throws {BrokerError} InvalidRequest
 */
export function readEntries(devices: WireValue, budget: CallBudget): Participants {
  if (!isList(devices)) throw invalid('devices', 'type', 'the value is not of type a(sa{sv})');
  if (devices.length > LIMITS.entries)
    throw invalid(
      'devices',
      'too-many',
      `${devices.length} entries were given, at most ${LIMITS.entries} are accepted`,
    );
  let imageLimit: string | undefined;
  const entries = devices.map((item, index) => {
    const place = `devices[${index}]`;
    const [device, dict] = isList(item) ? item : [];
    if (device === undefined || dict === undefined)
      throw invalid(place, 'type', 'the value is not of type (sa{sv})');
    const draft: Draft = { budget, limits: {} };
    const name = boundedText(place, device, 's');
    for (const key of readDict(place, dict, ENTRY_KEYS, draft))
      if (IMAGE_LIMITS.has(key)) imageLimit ??= `${place} ${key}`;
    return { device: name, limits: draft.limits, ...(draft.uses && { uses: draft.uses }) };
  });
  return { entries, imageLimit };
}
