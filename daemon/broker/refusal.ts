import { BrokerError } from '../../dbus/errors.js';
import { quote } from '../../dbus/quote.js';
import type { Constraint, Decision } from '../constraints/constraint-types.js';
import type { Allocation } from '../ledger/allocation.js';
import { constraintText, type ClassOf } from './constraint-text.js';
import type { NewRequest, Owner } from './broker-types.js';

/** The refusal of a problem that nothing solves. */
export class ConflictError extends BrokerError {
  /** A smallest set of constraints that cannot hold together, as `Explain` returns it. */
  readonly conflict: readonly Constraint[];
  /** Whether the client asked for the set as data, beside the message. */
  readonly asData: boolean;

  constructor(message: string, conflict: readonly Constraint[], asData: boolean) {
    super('Conflict', message);
    this.conflict = conflict;
    this.asData = asData;
  }
}

/** Where the search ended before the set was proved to be a smallest one. */
export const CUT_SHORT =
  'There may be a smaller set: the search for it was cut short. Ask again later, or with fewer constraints.';

/**
 * The error of a request that nothing satisfies: names the constraints that cannot hold together.
 * @param help sentences that say what would do
 */
export function conflictError(
  { errorData = false }: Pick<NewRequest, 'errorData'>,
  { conflict, isSmallest }: Extract<Decision, { feasible: false }>,
  classOf: ClassOf,
  help: readonly string[],
): ConflictError {
  const texts = conflict.map((constraint) => constraintText(constraint, classOf));
  const [only] = texts;
  const what =
    texts.length === 1 && only !== undefined
      ? `No layout or pool satisfies ${only}.`
      : `These cannot hold together: ${texts.join('; ')}.`;
  const cut = isSmallest ? [] : [CUT_SHORT];
  return new ConflictError([what, ...help, ...cut].join(' '), conflict, errorData);
}

/** The same words for what never was, what is gone and what belongs to another user, so that they look alike. */
export const unknownAllocation = (): BrokerError =>
  new BrokerError('UnknownAllocation', 'There is no such allocation, or it belongs to another connection.');

/** The refusal for an allocation that cannot grow any more. */
export const memoryGone = (): BrokerError =>
  new BrokerError(
    'Unavailable',
    'The memory of this allocation is no longer on this machine. Allocate again.',
  );

export const memoryUnused = (): BrokerError =>
  new BrokerError(
    'AccessDenied',
    'Policy no longer lists the pool of this allocation, so it cannot grow; make a new allocation.',
  );

export const tooFast = (text: string): BrokerError => new BrokerError('QuotaExceeded', text);

export const unknownPool = (handle: string): BrokerError =>
  new BrokerError('InvalidRequest', `pool: no pool has the handle ${quote(handle)}.`);

/** Whether two are the same connection. */
export const isSameOwner = (one: Owner, other: Owner): boolean =>
  one.bus === other.bus && one.name === other.name;

export const isOwner = (owner: Owner, { terms }: Allocation): boolean => isSameOwner(terms.owner, owner);
