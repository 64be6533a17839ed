import { constraintText, valueText, type ClassOf } from '../constraint-text.js';
import type { Constraint } from '../../constraints/constraint-types.js';
import type { PartyConstraint } from './party-types.js';
import type { SetRequest } from './set-request.js';

/** @param isOwn whether a party belongs to the user that is told */
export function partyConstraint(
  constraint: Constraint,
  { places, needs }: SetRequest,
  isOwn: (party: number) => boolean,
): PartyConstraint {
  const need = needs.find((each) => each.constraint === constraint);
  if (need !== undefined) return { ...need, isHidden: !isOwn(need.party) };
  const place = places[constraint.origin.entry];
  if (place === undefined) return { constraint, party: -1, alternative: 0, isHidden: false };
  const { party, alternative, entry } = place;
  const local = { ...constraint, origin: { ...constraint.origin, entry } };
  return { constraint: local, party, alternative, isHidden: !isOwn(party) };
}

/** `party 2: pitch-multiple 256 of /dev/dri/card0 (entry 0, client)`, or `party 2: pitch-multiple` of another user. */
export function partyConstraintText(
  { constraint, party, isHidden }: PartyConstraint,
  classOf: ClassOf,
): string {
  if (party < 0) return constraintText(constraint, classOf);
  if (isHidden) return `party ${party}: ${constraint.kind}`;
  const text =
    constraint.origin.entry < 0
      ? `${constraint.kind} ${valueText(constraint, classOf)}`
      : constraintText(constraint, classOf);
  return `party ${party}: ${text}`;
}
