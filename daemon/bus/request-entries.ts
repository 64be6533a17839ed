import type { WireValue, WireVariant } from '../../dbus/connection/bus-types.js';
import { ALL_LIMITS, boundsOf, isLimitOf, LIMIT_TABLE, type Limit } from '../../dbus/limits.js';
import { LIMITS, type Use } from '../../dbus/names.js';
import type { ClientLimits, Entry, TakenFormat } from '../broker/broker-types.js';
import { modifiers, takenFormats, uses, within, type CallBudget } from './request-fields.js';
import { readDict, type KeyReader, type KeyReaders } from './wire-dict.js';
import { isList } from '../../dbus/wire-read.js';
import { boolean, boundedText, invalid, positive64 } from './wire-values.js';

type Limits = { -readonly [K in keyof ClientLimits]-?: Exclude<ClientLimits[K], undefined> };

interface Draft {
  readonly budget: CallBudget;
  readonly limits: Partial<Limits>;
  uses?: readonly Use[];
  formats?: readonly TakenFormat[];
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

/** Takes the value of a limit of the table, within the bounds of its row. */
function tableLimit(key: Limit): [string, KeyReader<Draft>] {
  if (isLimitOf('b', key)) return limit(key, boolean);
  if (isLimitOf('t', key)) return limit(key, positive64);
  const bounds = boundsOf(key);
  return limit(key, (field, value) => within(bounds, field, value));
}

const ENTRY_KEYS: KeyReaders<Draft> = new Map<string, KeyReader<Draft>>([
  [
    'uses',
    (draft, field, value) => {
      draft.uses = uses(field, value);
    },
  ],
  limit('modifiers', (field, value, budget) => modifiers(budget, field, value)),
  [
    'formats',
    (draft, field, value) => {
      draft.formats = takenFormats(draft.budget, field, value);
    },
  ],
  ...ALL_LIMITS.map(tableLimit),
]);

/** Keys that speak of an image; memory with no image in it cannot keep them. */
const IMAGE_KEYS: ReadonlySet<string> = new Set([
  'modifiers',
  'formats',
  ...ALL_LIMITS.filter((key) => LIMIT_TABLE[key].imageOnly),
]);

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
    const name = boundedText(place, device);
    for (const key of readDict(place, dict, ENTRY_KEYS, draft))
      if (IMAGE_KEYS.has(key)) imageLimit ??= `${place} ${key}`;
    const { limits, uses, formats } = draft;
    if (formats !== undefined && limits.modifiers !== undefined)
      throw invalid(
        `${place} modifiers`,
        'excluded',
        'not accepted together with formats, which have their own',
      );
    return { device: name, limits, ...(uses && { uses }), ...(formats && { formats }) };
  });
  return { entries, imageLimit };
}
