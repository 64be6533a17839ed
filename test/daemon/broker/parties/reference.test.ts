import fc from 'fast-check';
import { expect, it } from 'vitest';

import type { Proposal } from '../../../../daemon/broker/parties/party-types.js';
import type { Entry } from '../../../../daemon/broker/request-types.js';
import { runs } from '../../../harness/runs.js';
import { entry } from '../rig.js';
import { IMAGE, partiesRig, type Guest } from './rig.js';

/**
 * What becomes of a collection, said once more and naively: all combinations are tried one by one. Only limits whose meaning
 * is plain are used: every pitch lies between the largest `pitch-min` and the smallest `pitch-max`, and what the parties hold
 * adds up.
 */

/** Bytes of a row of 64 pixels in XR24. */
const ROW = 256;
const MAX_BUFFERS = 6;

interface Alternative {
  readonly holds: number;
  readonly pitchMin: number;
  readonly pitchMax: number;
}
interface Said {
  readonly part: 'must' | 'may';
  readonly alternatives: readonly Alternative[];
  readonly spare: number;
  readonly countMin: number;
  readonly countMax: number;
}
/** Chosen alternatives by the number of the party; undefined for one without a part. */
type Choice = readonly (number | undefined)[];

const pitch = fc.constantFrom(ROW - 64, ROW, ROW + 64, ROW + 128);
const alternative: fc.Arbitrary<Alternative> = fc.record({
  holds: fc.integer({ min: 0, max: 3 }),
  pitchMin: pitch,
  pitchMax: pitch.map((bytes) => bytes + 64),
});
const said: fc.Arbitrary<Said> = fc.record({
  part: fc.constantFrom('must', 'may'),
  alternatives: fc.array(alternative, { minLength: 1, maxLength: 3 }),
  spare: fc.integer({ min: 0, max: 2 }),
  countMin: fc.integer({ min: 1, max: 4 }),
  countMax: fc.integer({ min: 2, max: 7 }),
});
/** The first party has to take part. */
const parties = fc
  .tuple(said, fc.array(said, { maxLength: 3 }))
  .map(([first, others]) => [{ ...first, part: 'must' } as const, ...others]);

const proposalOf = ({ alternatives, spare, countMin, countMax }: Said): Proposal => ({
  alternatives: alternatives.map(({ holds, pitchMin, pitchMax }) => {
    const limits: Entry['limits'] = {
      'pitch-min': pitchMin,
      'pitch-max': pitchMax,
      ...(holds > 0 && { 'min-buffers': holds }),
    };
    return [entry('cpu', { uses: ['read'], limits })];
  }),
  spare,
  countMin,
  countMax,
  keep: true,
});

/** How many buffers there are for a choice; undefined where it does not hold together. */
function countFor(all: readonly Said[], choice: Choice): number | undefined {
  const taking = all.flatMap((party, at) => {
    const chosen = party.alternatives[choice[at] ?? -1];
    return chosen === undefined ? [] : [{ ...party, ...chosen }];
  });
  const least = Math.max(ROW, ...taking.map(({ pitchMin }) => pitchMin));
  if (least > Math.min(...taking.map(({ pitchMax }) => pitchMax))) return undefined;
  const held = taking.reduce((sum, { holds }) => sum + holds, 0);
  const count = Math.max(
    held + Math.max(...taking.map(({ spare }) => spare)),
    ...taking.map(({ countMin }) => countMin),
  );
  return count > Math.min(MAX_BUFFERS, ...taking.map(({ countMax }) => countMax)) ? undefined : count;
}

/** All ways in which those that must take part can, the last one's alternatives first. */
function mandatory(all: readonly Said[]): readonly Choice[] {
  return all.reduce<readonly Choice[]>(
    (choices, { part, alternatives }) =>
      choices.flatMap((choice) =>
        part === 'may' ? [[...choice, undefined]] : alternatives.map((_, index) => [...choice, index]),
      ),
    [[]],
  );
}

function expected(all: readonly Said[]): Choice | undefined {
  const first = mandatory(all).find((choice) => countFor(all, choice) !== undefined);
  if (first === undefined) return undefined;
  return all.reduce<Choice>((choice, { part, alternatives }, at) => {
    if (part === 'must') return choice;
    const index = alternatives.findIndex((_, each) => countFor(all, choice.with(at, each)) !== undefined);
    return index < 0 ? choice : choice.with(at, index);
  }, first);
}

/** What the broker makes of it when the parties say their needs in this order. */
async function decided(
  all: readonly Said[],
  order: readonly number[],
): Promise<{ readonly choice: Choice; readonly count: number } | undefined> {
  const { rig, first, join } = partiesRig({ ...IMAGE, maxBuffers: MAX_BUFFERS });
  const guests: readonly Guest[] = [first, ...all.slice(1).map(({ part }) => join(first.invite(part)[0]))];
  for (const at of order) {
    const party = all[at];
    if (party !== undefined) guests[at]?.constrain(proposalOf(party));
  }
  try {
    const { layout } = await first.buffers();
    const { parties: infos = [] } = await rig.broker.parties.explain(first.owner, first.id);
    const choice = infos.map(({ alternative: index }) => (index < 0 ? undefined : index));
    return { choice, count: layout.count };
  } catch (error) {
    expect(error).toMatchObject({ code: 'Conflict' });
    return undefined;
  } finally {
    for (const guest of guests.toReversed()) guest.vanish();
    rig.timers.pass(2000);
  }
}

const inOrder = parties.chain((all) =>
  fc.record({
    all: fc.constant(all),
    order: fc.shuffledSubarray([...all.keys()], { minLength: all.length }),
  }),
);

it('is what all combinations tried one by one give, whatever the order of arrival', async () => {
  let feasible = 0;
  await fc.assert(
    fc.asyncProperty(inOrder, async ({ all, order }) => {
      const choice = expected(all);
      const found = await decided(all, order);
      expect(found?.choice).toEqual(choice);
      if (choice === undefined) return;
      feasible += 1;
      expect(found?.count).toBe(countFor(all, choice));
    }),
    runs(200),
  );
  expect(feasible).toBeGreaterThan(0);
});

it('never becomes infeasible by a party that may take part', async () => {
  await fc.assert(
    fc.asyncProperty(parties, said, async (all, more) => {
      const without = await decided(all, [...all.keys()]);
      const guests = [...all, { ...more, part: 'may' as const }];
      const found = await decided(guests, [...guests.keys()]);
      expect(found === undefined).toBe(without === undefined);
      expect(found?.choice.slice(0, -1)).toEqual(without?.choice);
    }),
    runs(100),
  );
});
