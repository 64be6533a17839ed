import { constraintText, valueText, type ClassOf } from '../constraint-text.js';
import { isListed } from '../../constraints/listed.js';
import { LINEAR, type Constraint } from '../../constraints/constraint-types.js';
import type { PartyConstraint } from './party-types.js';
import type { SetRequest } from './set-request.js';

/**
 * A constraint as a party may see it: of other users its party and kind, and of the modifiers that memory offers to this
 * request those that the party's own user listed.
 * @param isOwn whether a party belongs to the user that is told
 */
export function partyConstraint(
  constraint: Constraint,
  request: SetRequest,
  isOwn: (party: number) => boolean,
): PartyConstraint {
  const { places, needs } = request;
  const need = needs.find((each) => each.constraint === constraint);
  if (need !== undefined) return { ...need, isHidden: !isOwn(need.party) };
  const place = places[constraint.origin.entry];
  if (place === undefined) return ofNoEntry(constraint, request, isOwn);
  const { party, alternative, entry } = place;
  const local = { ...constraint, origin: { ...constraint.origin, entry } };
  return { constraint: local, party, alternative, isHidden: !isOwn(party) };
}

function ofNoEntry(
  constraint: Constraint,
  { entries, places }: SetRequest,
  isOwn: (party: number) => boolean,
): PartyConstraint {
  const shown = { constraint, party: -1, alternative: 0, isHidden: false };
  // What the buffer itself may have is the word of the party that began.
  if (constraint.kind !== 'modifiers') return shown;
  if (constraint.memory === undefined) return isOwn(0) ? shown : { ...shown, party: 0, isHidden: true };
  const own = entries.filter((_, at) => isOwn(places[at]?.party ?? -1));
  const lists = own.flatMap(({ limits, formats = [] }) => [
    limits.modifiers ?? [],
    ...formats.map(({ modifiers }) => modifiers),
  ]);
  const value = constraint.value.filter(
    (modifier) => modifier === LINEAR || lists.some((list) => isListed(list, modifier)),
  );
  return { ...shown, constraint: { ...constraint, value } };
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
