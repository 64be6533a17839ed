import type { WireValue, WireVariant } from '../../dbus/connection/bus-types.js';
import { LIMITS } from '../../dbus/names.js';
import { PARTY_LIMITS, type BufferSpec, type Part, type Proposal } from '../broker/parties/party-types.js';
import { readEntries } from './request-entries.js';
import { fourcc, fourccOf, label, modifiers, within, type CallBudget } from './request-fields.js';
import { into, readDict, type KeyReader, type KeyReaders } from './wire-dict.js';
import { isList } from '../../dbus/wire-read.js';
import { boolean, invalid, positive32, positive64, text, texts, uint32 } from './wire-values.js';

/** Reads the arguments of negotiation. Everything here throws InvalidRequest, and names the field. */

interface BufferFields {
  width: number;
  height: number;
  format: string;
  formats: readonly string[];
  modifiers: readonly bigint[];
  size: bigint;
  count: number;
  label: string;
}

interface BufferDraft {
  readonly budget: CallBudget;
  readonly fields: Partial<BufferFields>;
}

function bufferKey<K extends keyof BufferFields>(
  name: K,
  read: (field: string, value: WireVariant, budget: CallBudget) => BufferFields[K],
): [string, KeyReader<BufferDraft>] {
  return [
    name,
    (draft, field, value) => {
      draft.fields[name] = read(field, value, draft.budget);
    },
  ];
}

const BUFFER_KEYS: KeyReaders<BufferDraft> = new Map([
  bufferKey('width', positive32),
  bufferKey('height', positive32),
  bufferKey('format', fourcc),
  bufferKey('formats', formatNames),
  bufferKey('modifiers', (field, value, budget) => modifiers(budget, field, value)),
  bufferKey('size', positive64),
  bufferKey('count', buffersOfSet),
  bufferKey('label', label),
]);

/** `as`: fourccs, at least one and each once. */
function formatNames(field: string, value: WireVariant): readonly string[] {
  const names = texts(field, value);
  if (names.length === 0)
    throw invalid(field, 'empty', 'the list is empty; leave the key out, or give at least one format');
  if (names.length > LIMITS.entries)
    throw invalid(
      field,
      'too-many',
      `${names.length} formats were given, at most ${LIMITS.entries} are accepted`,
    );
  const formats = names.map((name) => fourccOf(field, name));
  if (new Set(formats).size < formats.length) throw invalid(field, 'repeated', 'a format was given twice');
  return formats;
}

function buffersOfSet(field: string, value: WireVariant): number {
  return within({ least: 1, most: PARTY_LIMITS.buffers }, field, value);
}

/** What is said of a collection besides its buffers. */
export interface SetOptions {
  readonly deadlineMs?: number;
  readonly maxBuffers?: number;
  readonly maxBytes?: bigint;
}

type OptionsDraft = { -readonly [K in keyof SetOptions]: SetOptions[K] };

const OPTION_KEYS: KeyReaders<OptionsDraft> = new Map<string, KeyReader<OptionsDraft>>([
  ['deadline', into('deadlineMs', (field, value) => within(PARTY_LIMITS.deadlineMs, field, value))],
  ['max-buffers', into('maxBuffers', buffersOfSet)],
  ['max-bytes', into('maxBytes', positive64)],
]);

/** The arguments of Negotiate and Renew (`a{sv}a{sv}`). */
export function readSet(body: readonly WireValue[]): {
  readonly spec: Omit<BufferSpec, 'maxBuffers' | 'maxBytes'>;
  readonly options: SetOptions;
} {
  const [buffer = [], given = []] = body;
  const draft: BufferDraft = {
    budget: { modifiers: LIMITS.modifiersPerCall, buffers: PARTY_LIMITS.buffers },
    fields: {},
  };
  readDict('buffer', buffer, BUFFER_KEYS, draft);
  const options: SetOptions = {};
  readDict('options', given, OPTION_KEYS, options);
  const { count, label: name } = draft.fields;
  return {
    spec: {
      ...imageOrBytes(draft.fields),
      ...(count !== undefined && { count }),
      ...(name !== undefined && { label: name }),
    },
    options,
  };
}

function imageOrBytes({
  size,
  width,
  height,
  format,
  formats,
  modifiers: accepted,
}: BufferDraft['fields']): Pick<BufferSpec, 'content' | 'formats'> {
  if (size !== undefined) {
    if ([width, height, format, formats, accepted].some((value) => value !== undefined))
      throw invalid('buffer size', 'excluded', 'not accepted together with keys of an image');
    return { content: { size }, formats: [] };
  }
  if (width === undefined || height === undefined)
    throw invalid(
      `buffer ${width === undefined ? 'width' : 'height'}`,
      'missing',
      'missing; give width and height, or size for memory without an image',
    );
  if (format !== undefined && formats !== undefined)
    throw invalid('buffer formats', 'excluded', 'not accepted together with format');
  return {
    content: { width, height, ...(accepted && { modifiers: accepted }) },
    formats: formats ?? (format === undefined ? [] : [format]),
  };
}

/** What a party says of the tokens that it makes. */
export interface InviteOptions {
  readonly part: Part;
  readonly isOneOf: boolean;
  readonly invites: number;
  /** The caller's where absent. */
  readonly uid?: number;
  readonly label: string;
}

const PARTS: readonly string[] = ['must', 'may', 'late'] satisfies readonly Part[];
const isPart = (name: string): name is Part => PARTS.includes(name);

interface InviteDraft {
  part?: Part;
  isOneOf?: boolean;
  invites?: number;
  uid?: number;
  label?: string;
}

const INVITE_KEYS: KeyReaders<InviteDraft> = new Map<string, KeyReader<InviteDraft>>([
  ['part', into('part', part)],
  ['one-of', into('isOneOf', boolean)],
  ['invites', into('invites', uint32)],
  ['user', into('uid', uint32)],
  ['label', into('label', label)],
]);

function part(field: string, value: WireVariant): Part {
  const name = text(field, value);
  if (!isPart(name)) throw invalid(field, 'unknown-value', `accepted are ${PARTS.join(', ')}`);
  return name;
}

/** The arguments of Invite (`ua{sv}`). */
export function readInvite(body: readonly WireValue[]): {
  readonly count: number;
  readonly options: InviteOptions;
} {
  const [count, given = []] = body;
  if (typeof count !== 'number' || count < 1) throw invalid('count', 'out-of-range', '1 or more is accepted');
  const draft: InviteDraft = {};
  readDict('options', given, INVITE_KEYS, draft);
  const { part: its = 'must', isOneOf = false, invites = 0, uid, label: name = '' } = draft;
  return { count, options: { part: its, isOneOf, invites, label: name, ...(uid !== undefined && { uid }) } };
}

interface NeedsDraft {
  spare?: number;
  countMin?: number;
  countMax?: number;
  keep?: boolean;
}

const NEEDS_KEYS: KeyReaders<NeedsDraft> = new Map<string, KeyReader<NeedsDraft>>([
  ['spare', into('spare', uint32)],
  ['count-min', into('countMin', positive32)],
  ['count-max', into('countMax', positive32)],
  ['keep', into('keep', boolean)],
]);

/**
 * The arguments of Constrain (`aa(sa{sv})a{sv}`).
 * @returns and the field of the first limit that memory without an image cannot keep
 */
export function readProposal(body: readonly WireValue[]): {
  readonly proposal: Proposal;
  readonly imageLimit: string | undefined;
} {
  const [lists = [], given = []] = body;
  if (!isList(lists)) throw invalid('alternatives', 'type', 'the value is not of type aa(sa{sv})');
  if (lists.length === 0)
    throw invalid('alternatives', 'empty', 'the list is empty, at least one alternative is accepted');
  if (lists.length > PARTY_LIMITS.alternatives)
    throw invalid(
      'alternatives',
      'too-many',
      `${lists.length} were given, at most ${PARTY_LIMITS.alternatives} are accepted`,
    );
  const budget: CallBudget = { modifiers: LIMITS.modifiersPerCall, buffers: PARTY_LIMITS.buffers };
  const read = lists.map((devices) => readEntries(devices, budget));
  const draft: NeedsDraft = {};
  readDict('needs', given, NEEDS_KEYS, draft);
  const { spare, countMin, countMax, keep = true } = draft;
  return {
    proposal: {
      alternatives: read.map(({ entries }) => entries),
      keep,
      ...(spare !== undefined && { spare }),
      ...(countMin !== undefined && { countMin }),
      ...(countMax !== undefined && { countMax }),
    },
    imageLimit: read.find(({ imageLimit }) => imageLimit !== undefined)?.imageLimit,
  };
}
