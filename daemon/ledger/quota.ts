import { preciseText } from '../sizing/amount.js';
import { payerOf, type Owner } from './ledger-types.js';
import type { Amount, Holder, Subject, Usage } from './usage.js';

/** One limit of policy on what a user, a client or a unit may hold at once. */
export interface QuotaLimit {
  /** As the policy files call it: `ClientBytes`. */
  readonly key: string;
  readonly subject: Subject;
  readonly unit: keyof Amount;
  readonly value: bigint;
  /** `policy:FILE:LINE`. */
  readonly source: string;
}

/** Clients that a refusal names; a user can have hundreds. */
const MAX_CLIENTS_NAMED = 3;

/**
 * Why the owner may not hold so much more, or undefined when it may: which limit, how much is used and asked, and which
 * of the same user's clients hold the rest.
 */
export function quotaRefusal(
  owner: Owner,
  asked: Amount,
  limits: readonly QuotaLimit[],
  usage: Usage,
): string | undefined {
  for (const limit of limits) {
    const used = BigInt(usage.of(limit.subject, owner)[limit.unit]);
    const more = BigInt(asked[limit.unit]);
    if (used + more <= limit.value) continue;
    const text =
      `${limit.key} allows ${subjectText(limit.subject, owner)} to hold ${textOf(limit.value, limit.unit)} (${limit.source}); ` +
      `${textOf(used, limit.unit)} are in use${heldText(limit, owner, usage)}`;
    return `${text} and ${textOf(more, limit.unit)} were requested.`;
  }
  return undefined;
}

function subjectText(subject: Subject, owner: Owner): string {
  const { name, unit } = owner;
  const uid = payerOf(owner);
  switch (subject) {
    case 'user':
      return `user ${uid}`;
    case 'client':
      return `connection ${name}`;
    case 'unit':
      return `unit ${unit} of user ${uid}`;
  }
}

/** Who else of the same user counts against the limit; nothing of another user's is told. */
function heldText({ subject, unit }: QuotaLimit, owner: Owner, usage: Usage): string {
  const others = usage
    .holders(payerOf(owner))
    .filter((holder) => holder.name !== owner.name && holder[unit] > 0)
    .filter((holder) => subject === 'user' || (subject === 'unit' && holder.unit === owner.unit));
  if (others.length === 0) return '';
  const named = others.slice(0, MAX_CLIENTS_NAMED).map((holder) => holderText(holder, unit));
  const more =
    others.length > MAX_CLIENTS_NAMED ? ` and ${others.length - MAX_CLIENTS_NAMED} more connections` : '';
  return ` (this user's other connections hold ${named.join(', ')}${more})`;
}

const holderText = ({ name, unit: of, ...held }: Holder, unit: keyof Amount): string =>
  `${name}${of === '' ? '' : ` (${of})`} ${textOf(held[unit], unit)}`;

/** `64 MiB`, or `3 buffers`. */
const textOf = (value: bigint | number, unit: keyof Amount): string =>
  unit === 'bytes' ? preciseText(BigInt(value)) : `${value} ${Number(value) === 1 ? 'buffer' : 'buffers'}`;
