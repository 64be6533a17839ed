import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Member, Selection } from '../../../../daemon/broker/parties/party-types.js';
import { selections } from '../../../../daemon/broker/parties/selections.js';

const member = (number: number, alternatives: number, more: Partial<Member> = {}): Member => ({
  number,
  isOptional: false,
  proposal: { alternatives: Array.from({ length: alternatives }, () => []), keep: true },
  ...more,
});

const shown = (selection: Selection): string =>
  [...selection].map(([number, alternative]) => `${number}:${alternative}`).join(' ');

/** Every assignment of alternatives, or of none, to the members. */
function assignments(members: readonly Member[]): readonly Selection[] {
  return members.reduce<readonly Selection[]>(
    (all, { number, proposal }) =>
      all.flatMap((selection) => [
        selection,
        ...proposal.alternatives.map((_, alternative) => new Map([...selection, [number, alternative]])),
      ]),
    [new Map()],
  );
}

/** Whether all take part that must, each once, and no other: read from the rules of the contract. */
function isComplete(members: readonly Member[], selection: Selection): boolean {
  return members.every(({ number, isOptional, group, dependsOn }) => {
    const isIn = selection.has(number);
    if (isOptional) return !isIn;
    if (dependsOn !== undefined && !selection.has(dependsOn)) return !isIn;
    if (group === undefined) return isIn;
    const able = members.filter(
      (other) =>
        other.group === group &&
        !other.isOptional &&
        (other.dependsOn === undefined || selection.has(other.dependsOn)),
    );
    return able.filter((other) => selection.has(other.number)).length === 1;
  });
}

/** Members of which each was invited by one before it; those of a group by the same one. */
const someMembers = fc
  .array(
    fc.record({
      alternatives: fc.integer({ min: 1, max: 3 }),
      isOptional: fc.boolean(),
      inviter: fc.nat(4),
      isOneOf: fc.boolean(),
    }),
    { maxLength: 4 },
  )
  .map((list) => [
    member(0, 1),
    ...list.map(({ alternatives, isOptional, inviter, isOneOf }, at) => {
      const dependsOn = inviter % (at + 1);
      // One call of Invite makes a group: the same inviter, and the same part.
      const group = 2 * dependsOn + Number(isOptional);
      return member(at + 1, alternatives, { isOptional, dependsOn, ...(isOneOf && { group }) });
    }),
  ]);

describe('the combinations of a collection', () => {
  it('are all those in which every party that must takes part, each once', () => {
    fc.assert(
      fc.property(someMembers, (members) => {
        const found = [...selections(members)].map(shown);
        const expected = assignments(members).filter((selection) => isComplete(members, selection));
        expect(found.toSorted()).toEqual(expected.map(shown).toSorted());
      }),
    );
  });

  it('vary the last party first', () => {
    const members = [member(0, 2), member(1, 1), member(2, 3)];
    expect([...selections(members)].map(shown)).toEqual([
      '0:0 1:0 2:0',
      '0:0 1:0 2:1',
      '0:0 1:0 2:2',
      '0:1 1:0 2:0',
      '0:1 1:0 2:1',
      '0:1 1:0 2:2',
    ]);
  });
});
