import type { Constraint } from '../../constraints/constraint-types.js';
import type { Pools } from '../../pools/pools.js';
import type { Searches } from '../searches.js';
import { CUT_SHORT } from '../refusal.js';
import { poolsOf, type Snapshot } from '../snapshot.js';
import { SetSearch, type SetOutcome } from './decide-set.js';
import { endOfDecision } from './failures.js';
import { partyConstraint } from './party-texts.js';
import type { Member, PartyConstraint, PartyExplanation, PartyInfo } from './party-types.js';
import type { PartyRecord } from './running.js';
import type { Seat } from './seat.js';

interface Tools {
  readonly snapshot: () => Snapshot;
  readonly pools: Pools;
  readonly searches: Pick<Searches, 'of'>;
}

/** @throws {BrokerError} what the search for reasons throws */
export async function explainParty(party: PartyRecord, tools: Tools): Promise<PartyExplanation> {
  const { running, number, owner } = party;
  const { collection, parties, spec } = running;
  const all = collection.members();
  // Before there are buffers a guest learns nothing of the others.
  const seesAll = number === 0 || collection.generation > 0 || running.failure !== undefined;
  const members = seesAll ? all : all.flatMap((member) => (member.number === number ? [alone(member)] : []));
  const isOwn = (other: number): boolean => parties.get(other)?.owner.uid === owner.uid;
  const snapshot = tools.snapshot();
  const runner = tools.searches.of(owner);
  const search = async (): Promise<SetOutcome | undefined> =>
    members.length === 0
      ? undefined
      : runner.run(new SetSearch(spec, members, snapshot, runner.allowance).next());
  // What failed is told as it failed: those that had needs may be gone.
  const outcome = running.failure ?? (await search());
  const waiting = collection
    .waited()
    .filter(({ inviter }) => inviter?.number === number)
    .map((seat) => ({
      label: seat.label,
      state: seat.state === 'unused' ? ('unused' as const) : ('asked' as const),
      party: seat.number,
    }));
  return {
    ...answer(outcome, isOwn, snapshot, tools.pools),
    waiting,
    ...(number === 0 && {
      parties: collection.seats.map((seat) => partyInfo(seat, party, isOwn)),
    }),
  };
}

const alone = ({ number, proposal }: Member): Member => ({ number, proposal, isOptional: false });

function answer(
  outcome: SetOutcome | undefined,
  isOwn: (party: number) => boolean,
  snapshot: Snapshot,
  pools: Pools,
): Omit<PartyExplanation, 'waiting' | 'parties'> {
  const nothing = { feasible: false, constraints: [], conflicts: [], limits: [], suggestions: [] };
  if (outcome === undefined) return nothing;
  if (outcome.is === 'fit') {
    const { decision, count, request } = outcome;
    const [pool] = poolsOf(decision.memories, pools);
    return {
      ...nothing,
      feasible: true,
      ...(pool !== undefined && { layout: snapshot.layouts.of(decision.layout, pool, count) }),
      constraints: decision.constraints.map((each) => partyConstraint(each, request, isOwn)),
    };
  }
  if (outcome.is !== 'conflict') return { ...nothing, limits: [endOfDecision(outcome).text] };
  const shown = (list: readonly Constraint[]): readonly PartyConstraint[] =>
    list.map((each) => partyConstraint(each, outcome.request, isOwn));
  return {
    ...nothing,
    constraints: shown(outcome.constraints),
    conflicts: shown(outcome.conflict),
    suggestions: outcome.isSmallest ? [] : [CUT_SHORT],
  };
}

function partyInfo(seat: Seat, { running }: PartyRecord, isOwn: (party: number) => boolean): PartyInfo {
  const { number, inviter, label, state, granted, proposal } = seat;
  const entries = (granted?.proposal ?? proposal)?.alternatives[granted?.alternative ?? 0] ?? [];
  const unit = isOwn(number) ? running.parties.get(number)?.owner.unit : undefined;
  return {
    party: number,
    inviter: inviter?.number ?? -1,
    label,
    state: state === 'unused' ? 'unused' : running.collection.state(number),
    alternative: granted?.alternative ?? -1,
    buffers: entries.reduce((sum, { limits }) => sum + (limits['min-buffers'] ?? 0), 0),
    ...(unit !== undefined && { unit }),
  };
}
