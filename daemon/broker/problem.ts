import { BrokerError } from '../../dbus/errors.js';
import { LIMITS } from '../../dbus/names.js';
import { LINEAR, type Constraint, type Origin, type Problem } from '../constraints/constraint-types.js';
import { lcm } from '../constraints/integers.js';
import { deviceConstraints, saysModifiers, type AskedImage } from '../devices/device-constraints.js';
import { reachConstraints } from '../devices/reach.js';
import { admit, type Admitted, type Participant } from './admit.js';
import type { Posed } from './decisions.js';
import type { NewRequest } from './broker-types.js';
import { listOf, memoriesFor } from './offered-tiles.js';
import type { Snapshot } from './snapshot.js';

/**
 * Makes the problem of a request: everything that devices, policy, the client and the request itself say.
 * @throws {BrokerError} for what is wrong with the request itself, and Unavailable when there is no memory at all
 */
export function pose(request: NewRequest, snapshot: Snapshot): Posed {
  const { content, memories, constraints: given } = problemOf(request, snapshot);
  const { count, constraint } = countBuffers(request, given);
  const constraints = constraint === undefined ? given : [...given, constraint];
  return { problem: { content, constraints, memories }, count };
}

/**
 * What is asked for, and all that devices, policy and the client say of it, but for the number of buffers; and what each
 * memory offers for it.
 * @param programs number of the program that each entry comes from; one program's when absent
 * @throws {BrokerError} for what is wrong with the request itself, and Unavailable when there is no memory at all
 */
export function problemOf(
  request: Pick<NewRequest, 'entries' | 'content'>,
  snapshot: Snapshot,
  programs: readonly number[] = [],
): Problem {
  const admitted = admit(request, snapshot.index);
  if (snapshot.memories.length === 0) {
    throw new BrokerError(
      'Unavailable',
      'The service has no memory: no heap can be opened, or policy uses none.',
    );
  }
  const { content } = admitted;
  const said = constraintsOf(admitted, snapshot);
  const constraints = [...said, ...linearForSilent(admitted, said, programs)];
  return { content, constraints, memories: memoriesFor(admitted, constraints, snapshot) };
}

function constraintsOf(
  { participants, content, modifiers }: Admitted,
  snapshot: Snapshot,
): readonly Constraint[] {
  const image = 'format' in content ? { ...content, format: content.format.fourcc } : undefined;
  const given = participants.flatMap((participant) => participantConstraints(participant, image, snapshot));
  if (modifiers === undefined) return given;
  return [
    ...given,
    { kind: 'modifiers', value: modifiers, origin: { entry: -1, device: '', source: 'request' } },
  ];
}

function participantConstraints(
  participant: Participant,
  image: AskedImage | undefined,
  snapshot: Snapshot,
): readonly Constraint[] {
  const { entry, device, uses } = participant;
  const { rules, reach } = snapshot.devicePolicy(device);
  return withOwnRows([
    ...deviceConstraints(device, uses, rules, entry, image),
    ...reachConstraints(device, entry, reach, uses, snapshot.handles),
    ...clientConstraints(participant),
    ...listedFormat(participant, image),
    ...linearUnlessListed(participant, image),
  ]);
}

/**
 * A participant whose planes follow one another at once puts them where its own rows end. Those it rounds up to what it
 * says itself, and to nothing that others say.
 */
function withOwnRows(constraints: readonly Constraint[]): readonly Constraint[] {
  if (!constraints.some(({ kind }) => kind === 'planes-contiguous')) return constraints;
  const multiples = constraints.flatMap(({ kind, value }) => (kind === 'height-multiple' ? [value] : []));
  const rows = Number(multiples.reduce((all, multiple) => lcm(all, BigInt(multiple)), 1n));
  return constraints.map((constraint) =>
    constraint.kind === 'planes-contiguous' ? { ...constraint, rows } : constraint,
  );
}

/** The limits that a client gave one participant. `false` asks for nothing. */
function clientConstraints({ entry, device, limits }: Participant): readonly Constraint[] {
  const origin: Origin = { entry, device: device.node, source: 'client' };
  return Object.entries(limits)
    .filter(([, value]) => value !== false)
    .map(([kind, value]) => ({ kind, value, origin }) as Constraint);
}

/** What the client's own list of formats says of the one that is asked for. */
function listedFormat(
  { entry, device, formats }: Participant,
  image: AskedImage | undefined,
): readonly Constraint[] {
  if (formats === undefined || image === undefined) return [];
  const origin: Origin = { entry, device: device.node, source: 'client' };
  const listed = formats.find(({ format }) => format === image.format);
  if (listed === undefined) return [{ kind: 'formats', value: [], origin }];
  return listed.modifiers.length === 0 ? [] : [{ kind: 'modifiers', value: listed.modifiers, origin }];
}

/**
 * Which modifiers a GPU takes is known to the program that drives it, not to the kernel. An entry that lists none, and
 * whose device publishes none for its uses, therefore means linear. `cpu` says so itself.
 */
function linearUnlessListed(participant: Participant, image: AskedImage | undefined): readonly Constraint[] {
  const { entry, device, uses, formats } = participant;
  if (image === undefined || saysModifiers(device, uses)) return [];
  if (listOf(participant, image.format) !== undefined) return [];
  // Where the client lists formats and this is not among them, that alone is the conflict.
  if (formats?.some(({ format }) => format === image.format) === false) return [];
  return [{ kind: 'modifiers', value: [LINEAR], origin: { entry, device: device.node, source: 'default' } }];
}

/**
 * A program that lists no modifiers expects none, whatever its devices take: what another one lists is not for it. Of a
 * single program that is its own affair.
 */
function linearForSilent(
  { participants, content }: Admitted,
  said: readonly Constraint[],
  programs: readonly number[],
): readonly Constraint[] {
  if (!('format' in content)) return [];
  const { fourcc } = content.format;
  const silent = new Map<number, Participant>();
  for (const [at, participant] of participants.entries()) {
    const program = programs[at];
    if (program !== undefined && !silent.has(program)) silent.set(program, participant);
  }
  for (const [at, participant] of participants.entries())
    if (listOf(participant, fourcc) !== undefined) silent.delete(programs[at] ?? -1);
  for (const { kind, value, origin } of said)
    if (kind === 'modifiers' && value.length === 1 && value[0] === LINEAR)
      silent.delete(programs[origin.entry] ?? -1);
  return [...silent.values()].map(({ entry, device }) => ({
    kind: 'modifiers',
    value: [LINEAR],
    origin: { entry, device: device.node, source: 'default' },
  }));
}

/** How many buffers this call makes, and what the request says of the whole set. */
interface BufferCount {
  readonly count: number;
  /** Absent when the request says nothing: then the set is as large as it must be. */
  readonly constraint?: Constraint;
}

const REQUEST = { entry: -1, device: '', source: 'request' } as const;

/**
 * @param constraints of all participants; their `min-buffers` add up
 * @throws {BrokerError} TooManyBuffers when that is more than fit in one call, and the request gives no number itself
 */
export function countBuffers(
  { count, total, perReply = LIMITS.buffersPerCall }: Pick<NewRequest, 'count' | 'total' | 'perReply'>,
  constraints: readonly Constraint[],
): BufferCount {
  if (total !== undefined) {
    const constraint = { kind: 'total', value: total, origin: REQUEST } as const;
    return { count: count ?? Math.min(total, perReply), constraint };
  }
  if (count !== undefined) return { count, constraint: { kind: 'count', value: count, origin: REQUEST } };
  const held = constraints.reduce((sum, { kind, value }) => sum + (kind === 'min-buffers' ? value : 0), 0);
  if (held > perReply) {
    throw new BrokerError(
      'TooManyBuffers',
      `The devices hold ${held} buffers at once, and one call allocates at most ${perReply}: ` +
        `call with total ${held}, and allocate the rest with extends.`,
    );
  }
  return { count: Math.max(held, 1) };
}
