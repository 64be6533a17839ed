import type { Member, Selection } from './party-types.js';

const NONE_CHOSEN: Selection = new Map();

/**
 * Every way in which all those that must take part can: the alternatives of the last party vary first. Of a group of
 * which one takes part, members and their alternatives are tried in order; a party is left out with the one that it
 * depends on.
 * @param members in the order of their numbers
 * @param given what is chosen already, optional parties among it
 */
export function* selections(
  members: readonly Member[],
  given: Selection = NONE_CHOSEN,
): Generator<Selection> {
  yield* selectionsFrom(members, 0, given);
}

function* selectionsFrom(members: readonly Member[], from: number, chosen: Selection): Generator<Selection> {
  const place = members.findIndex((member, at) => at >= from && wants(member, members, chosen));
  const member = members[place];
  if (member === undefined) {
    yield chosen;
    return;
  }
  for (const option of optionsOf(member, members, chosen))
    for (const alternative of option.proposal.alternatives.keys())
      yield* selectionsFrom(members, place + 1, withChoice(chosen, option.number, alternative));
}

/**
 * Every way in which one more optional party, or one of its group, can take part besides what is chosen, with those that it
 * needs in turn.
 */
export function* selectionsWith(
  member: Member,
  members: readonly Member[],
  chosen: Selection,
): Generator<Selection> {
  for (const option of optionsOf(member, members, chosen))
    for (const alternative of option.proposal.alternatives.keys())
      yield* selections(members, withChoice(chosen, option.number, alternative));
}

/** Whether an optional party could still be added: it depends on nothing that was left out, and none of its group is in. */
export const isOpen = (member: Member, members: readonly Member[], chosen: Selection): boolean =>
  member.isOptional && isFree(member, members, chosen);

const wants = (member: Member, members: readonly Member[], chosen: Selection): boolean =>
  !member.isOptional && isFree(member, members, chosen);

function isFree(
  { number, dependsOn, group }: Member,
  members: readonly Member[],
  chosen: Selection,
): boolean {
  if (chosen.has(number)) return false;
  if (dependsOn !== undefined && !chosen.has(dependsOn)) return false;
  return group === undefined || !members.some((other) => other.group === group && chosen.has(other.number));
}

const optionsOf = (member: Member, members: readonly Member[], chosen: Selection): readonly Member[] =>
  member.group === undefined
    ? [member]
    : members.filter((other) => other.group === member.group && isFree(other, members, chosen));

const withChoice = (chosen: Selection, number: number, alternative: number): Selection =>
  new Map([...chosen, [number, alternative] as const].toSorted(([one], [other]) => one - other));
