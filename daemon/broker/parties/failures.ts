import { BrokerError, ERRORS } from '../../../dbus/errors.js';
import type { ClassOf } from '../constraint-text.js';
import { CUT_SHORT } from '../refusal.js';
import { preciseText } from '../../sizing/amount.js';
import type { NoDecision } from './decide-set.js';
import { partyConstraint, partyConstraintText } from './party-texts.js';
import { endOf } from './ends.js';
import type { End } from './party-types.js';
import type { PartyRecord } from './running.js';

/** Why nothing could be decided, without what only some may see. */
export function endOfDecision(outcome: NoDecision): End {
  switch (outcome.is) {
    // No other combination is left to be tried for want of memory: what is told is that want.
    case 'exhausted':
      return endOf('PoolExhausted');
    case 'conflict':
      return { code: 'Conflict', text: 'The needs of the parties cannot hold together.' };
    case 'too-large':
      return {
        code: 'Conflict',
        text: `max-bytes is ${preciseText(outcome.most)}, and the buffers take ${preciseText(outcome.bytes)}.`,
      };
    case 'no-format':
      return { code: 'Conflict', text: 'No party names a format that is known here.' };
    case 'too-many':
      return endOf('TooManyAlternatives');
  }
}

/** The error of a party, which names the constraints that clash as far as its user may see them. */
export function failureFor({ running, owner }: PartyRecord, end: End, classOf: ClassOf): BrokerError {
  const { failure, parties } = running;
  const isForeign = parties.get(0)?.owner.uid !== owner.uid;
  if (end.isPrivate === true && isForeign) return new BrokerError(end.code, ERRORS[end.code]);
  if (end.code !== 'Conflict' || failure?.is !== 'conflict')
    return new BrokerError(end.code, end.text, { cause: end.cause });
  const isOwn = (number: number): boolean => parties.get(number)?.owner.uid === owner.uid;
  const texts = failure.conflict.map((constraint) =>
    partyConstraintText(partyConstraint(constraint, failure.request, isOwn), classOf),
  );
  const cut = failure.isSmallest ? [] : [CUT_SHORT];
  return new BrokerError('Conflict', [`These cannot hold together: ${texts.join('; ')}.`, ...cut].join(' '));
}
