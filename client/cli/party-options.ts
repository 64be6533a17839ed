import type { CollectionRequest, InviteOptions, Needs, NegotiateOptions } from '../negotiation.js';
import type { DeviceRequest } from '../request.js';
import type { Arguments, Option } from './arguments.js';
import { parseDevice } from './device-argument.js';
import { parseModifierArgument, parseWhole, parseWhole32 } from './numbers.js';
import { REQUEST_NOTES, REQUEST_OPTIONS } from './request-options.js';
import { UsageError } from './usage.js';

/** The options of `negotiate` and `join` that say what a party needs. */
export const PARTY_OPTIONS: readonly Option[] = [
  { name: 'device', value: 'DEVICE[:ITEM,…]', repeats: true, text: 'who touches the buffers, and how' },
  {
    name: 'or',
    value: "'DEVICE[:ITEM,…] …'",
    repeats: true,
    text: 'in the place of all --device, if those do not fit',
  },
  { name: 'spare', value: 'N', text: 'buffers beyond those that the devices hold' },
  { name: 'count-min', value: 'N', text: 'buffers of the whole set at least' },
  { name: 'count-max', value: 'N', text: 'buffers of the whole set at most' },
];

export const PARTY_NOTES: readonly string[] = [
  ...REQUEST_NOTES,
  'Each --or is another list of devices, separated by spaces; the first list that fits is taken.',
];

/** The options of `negotiate` that say what the buffers hold, and how many there may be. */
export const COLLECTION_OPTIONS: readonly Option[] = [
  ...REQUEST_OPTIONS.filter(({ name }) => ['width', 'height'].includes(name)),
  { name: 'format', value: 'FOURCC', repeats: true, text: 'accepted, the preferred first: XR24, NV12' },
  ...REQUEST_OPTIONS.filter(({ name }) => ['modifier', 'size'].includes(name)),
  { name: 'count', value: 'N', text: 'exactly so many buffers' },
  { name: 'max-buffers', value: 'N', text: 'so many at most (16)' },
  { name: 'max-bytes', value: 'BYTES', text: 'all buffers together at most' },
  ...REQUEST_OPTIONS.filter(({ name }) => name === 'label'),
];

const PARTS = ['must', 'may', 'late'] as const;
export type Part = (typeof PARTS)[number];

/** A token that `negotiate` makes. */
export type Invited = Required<Pick<InviteOptions, 'part' | 'label'>>;

export const INVITE: Option = {
  name: 'invite',
  value: 'PART[=LABEL]',
  repeats: true,
  text: 'a token for another party: must (the default), may, late',
};
export const DEADLINE: Option = {
  name: 'deadline',
  value: 'SECONDS',
  text: 'time for every party to say its needs, at most 20 (default 20)',
};

/** Seconds that people get who carry a token from one terminal to another: as many as the broker gives. */
const DEADLINE_SECONDS = 20;

const whole = (args: Arguments, name: string): number | undefined => {
  const text = args.text(name);
  return text === undefined ? undefined : parseWhole32(text, `--${name}`);
};

/** What a party needs: lists of devices, the preferred first, and of the whole set. @throws {UsageError} */
export function readNeeds(args: Arguments): {
  readonly alternatives: readonly (readonly DeviceRequest[])[];
  readonly needs: Needs;
} {
  const others = args.texts('or').map((list) => list.split(' ').filter(Boolean).map(parseDevice));
  if (others.some((list) => list.length === 0)) throw new UsageError('--or names no device');
  if (others.length > 0 && args.texts('device').length === 0)
    throw new UsageError('--or takes the place of --device: say that, too');
  const [spare, countMin, countMax] = [
    whole(args, 'spare'),
    whole(args, 'count-min'),
    whole(args, 'count-max'),
  ];
  return {
    alternatives: [args.texts('device').map(parseDevice), ...others],
    needs: {
      ...(spare !== undefined && { spare }),
      ...(countMin !== undefined && { countMin }),
      ...(countMax !== undefined && { countMax }),
    },
  };
}

/** What the buffers hold. @throws {UsageError} */
export function readCollection(args: Arguments): CollectionRequest {
  const [width, height, count] = [whole(args, 'width'), whole(args, 'height'), whole(args, 'count')];
  const [formats, size, label] = [args.texts('format'), args.text('size'), args.text('label')];
  const modifiers = args.texts('modifier').map((text) => parseModifierArgument(text, '--modifier'));
  const set = { ...(count !== undefined && { count }), ...(label !== undefined && { label }) };
  if (size !== undefined) {
    if ((width ?? height ?? formats[0] ?? modifiers[0]) !== undefined)
      throw new UsageError('say either --size, or --width, --height and --format');
    return { ...set, size: parseWhole(size, '--size') };
  }
  if (width === undefined || height === undefined)
    throw new UsageError('what do the buffers hold? Say --width and --height, or --size');
  return {
    ...set,
    width,
    height,
    ...(formats.length > 0 && { formats }),
    ...(modifiers.length > 0 && { modifiers }),
  };
}

/** How a negotiation is bounded. @throws {UsageError} */
export function readBounds(args: Arguments): NegotiateOptions & { readonly deadline: number } {
  const [maxBuffers, bytes] = [whole(args, 'max-buffers'), args.text('max-bytes')];
  const text = args.text(DEADLINE.name) ?? String(DEADLINE_SECONDS);
  const seconds = Number(text);
  if (text === '' || !(seconds > 0 && seconds <= DEADLINE_SECONDS))
    throw new UsageError(`--deadline: not a time of up to ${DEADLINE_SECONDS} seconds: '${text}'`);
  return {
    deadline: Math.round(seconds * 1000),
    ...(maxBuffers !== undefined && { maxBuffers }),
    ...(bytes !== undefined && { maxBytes: parseWhole(bytes, '--max-bytes') }),
  };
}

/** The tokens to be made: one where none is named. @throws {UsageError} */
export function readInvited(args: Arguments): readonly Invited[] {
  const given = args.texts(INVITE.name).map((text) => {
    const [word = '', ...label] = text.split('=');
    const part = PARTS.find((each) => each === word);
    if (part === undefined) throw new UsageError(`--invite: neither must, may nor late: '${word}'`);
    return { part, label: label.join('=') };
  });
  return given.length > 0 ? given : [{ part: 'must', label: '' }];
}
