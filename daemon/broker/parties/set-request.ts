import { BrokerError } from '../../../dbus/errors.js';
import type { Constraint } from '../../constraints/constraint-types.js';
import { pixelFormat } from '../../constraints/formats.js';
import type { Entry, NewRequest } from '../broker-types.js';
import { problemOf } from '../problem.js';
import type { Problem } from '../../constraints/constraint-types.js';
import type { Snapshot } from '../snapshot.js';
import { PARTY_LIMITS, type BufferSpec, type Member, type Selection } from './party-types.js';

/** Buffers of a generation at most, where nothing is said. */
const USUAL_BUFFERS = 16;

/** Where an entry of the whole set comes from. */
export interface Place {
  readonly party: number;
  readonly alternative: number;
  /** Place in the party's own list. */
  readonly entry: number;
}

/** All entries of a selection as one request, with where each comes from. */
export interface SetRequest {
  readonly entries: readonly Entry[];
  readonly places: readonly Place[];
  /** What parties say of the whole set. */
  readonly needs: readonly Need[];
}

interface Need {
  readonly party: number;
  readonly alternative: number;
  readonly constraint: Constraint;
}

export function setRequest(members: readonly Member[], selection: Selection): SetRequest {
  const chosen = members.flatMap((member) => {
    const alternative = selection.get(member.number);
    return alternative === undefined ? [] : [{ member, alternative }];
  });
  const listed = chosen.flatMap(({ member: { number, proposal }, alternative }) =>
    (proposal.alternatives[alternative] ?? []).map((entry, at) => ({
      entry,
      place: { party: number, alternative, entry: at },
    })),
  );
  return {
    entries: listed.map(({ entry }) => entry),
    places: listed.map(({ place }) => place),
    needs: chosen.flatMap(({ member, alternative }) => needsOf(member, alternative)),
  };
}

const WHOLE_SET = { entry: -1, device: '', source: 'client' } as const;

const needsOf = (
  { number, proposal: { spare, countMin, countMax } }: Member,
  alternative: number,
): readonly Need[] =>
  (
    [
      ['spare', spare],
      ['count-min', countMin],
      ['count-max', countMax],
    ] as const
  ).flatMap(([kind, value]) =>
    value === undefined
      ? []
      : [{ party: number, alternative, constraint: { kind, value, origin: WHOLE_SET } }],
  );

/**
 * The formats that come into question, the preferred first: the creator's list, or the first party's that has some.
 * `undefined` stands for memory with no image in it.
 */
export function formatsOf(
  { content, formats }: BufferSpec,
  { entries, places }: SetRequest,
): readonly (string | undefined)[] {
  if ('size' in content) return [undefined];
  if (formats.length > 0) return formats;
  const first = entries.findIndex((entry) => entry.formats !== undefined);
  const party = places[first]?.party;
  const listed = entries.flatMap(({ formats: own }, at) =>
    places[at]?.party === party ? (own ?? []).map(({ format }) => format) : [],
  );
  return [...new Set(listed)].filter((format) => pixelFormat(format) !== undefined);
}

/**
 * The problem of a whole set in one format.
 * @throws {BrokerError} UnknownDevice or InvalidRequest for a device that is gone or is another since it was named
 */
export function poseSet(
  spec: BufferSpec,
  { entries, places, needs }: SetRequest,
  format: string | undefined,
  snapshot: Snapshot,
): Problem {
  const { content } = spec;
  const request: Pick<NewRequest, 'entries' | 'content'> = {
    entries,
    content: 'size' in content ? content : { ...content, format: format ?? '' },
  };
  const { content: posed, memories, constraints } = problemOfAll(request, places, snapshot);
  const origin = { entry: -1, device: '', source: 'request' } as const;
  const most = Math.min(spec.maxBuffers ?? spec.count ?? USUAL_BUFFERS, PARTY_LIMITS.buffers);
  return {
    content: posed,
    memories,
    constraints: [
      ...constraints,
      ...needs.map(({ constraint }) => constraint),
      { kind: 'max-buffers', value: most, origin },
      ...(spec.count === undefined
        ? []
        : [
            { kind: 'count', value: spec.count, origin } as const,
            { kind: 'count-min', value: spec.count, origin } as const,
          ]),
    ],
  };
}

/** The errors name no device: it may be another user's. */
function problemOfAll(
  request: Pick<NewRequest, 'entries' | 'content'>,
  places: readonly Place[],
  snapshot: Snapshot,
): Problem {
  try {
    return problemOf(
      request,
      snapshot,
      places.map(({ party }) => party),
    );
  } catch (cause) {
    if (
      !(cause instanceof BrokerError) ||
      (cause.code !== 'UnknownDevice' && cause.code !== 'InvalidRequest')
    )
      throw cause;
    throw new BrokerError(cause.code, 'A device that a party named has gone or changed since.', { cause });
  }
}

/** How many buffers a set has whose constraints hold together. */
export function countOf({ count }: BufferSpec, constraints: readonly Constraint[]): number {
  if (count !== undefined) return count;
  const values = (kind: Constraint['kind']): readonly number[] =>
    constraints.flatMap((constraint) => (constraint.kind === kind ? [Number(constraint.value)] : []));
  const held = values('min-buffers').reduce((sum, value) => sum + value, 0);
  return Math.max(held + Math.max(0, ...values('spare')), ...values('count-min'), 1);
}

export const noDevice = (): BrokerError =>
  new BrokerError('InvalidRequest', 'devices: no party named a device; at least one has to.');
