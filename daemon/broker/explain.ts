import type { Requester } from '../../dbus/accounts/account.js';
import {
  LINEAR,
  type Constraint,
  type Decision,
  type Layout,
  type Problem,
} from '../constraints/constraint-types.js';
import type { Quotas } from '../ledger/quotas.js';
import type { Pool } from '../pools/pool.js';
import type { Pools } from '../pools/pools.js';
import { decideIfFeasible } from '../constraints/decide.js';
import { callerOf, type Caller } from './pool-access.js';
import { askedOf, choosePools, type Demand } from './choose.js';
import type { Decided, DecidedLayout } from './decisions.js';
import { linearInstead } from './linear-instead.js';
import { leftOut } from './left-out.js';
import { CUT_SHORT } from './refusal.js';
import { decideRequest } from './solve.js';
import type { StepRunner } from './searches.js';
import type { Steps } from './searches.js';
import type { Explanation, NewRequest, Owner, Sessions } from './broker-types.js';
import { accessListsOf, poolsOf, type Snapshot } from './snapshot.js';
import { takenFormats } from './taken-formats.js';
import { constraintText, modifierText, type ClassOf } from './constraint-text.js';

/** What an explanation looks at besides the request. */
export interface Circumstances {
  readonly snapshot: Snapshot;
  readonly pools: Pools;
  readonly sessions: Sessions;
  readonly quotas: Quotas;
  /** For this owner. */
  readonly runner: StepRunner;
  readonly requester: Requester;
}

/**
 * The same decision as an allocation's, with its reasons, and what `Allocate` would still refuse.
 * @throws {BrokerError} for what is wrong with the request itself
 */
export async function explain(
  owner: Owner,
  request: NewRequest,
  circumstances: Circumstances,
): Promise<Explanation> {
  const { snapshot, runner } = circumstances;
  const decided = await decideRequest(request, snapshot, runner);
  const { decision } = decided;
  if (!decision.feasible)
    return (
      decided.findings.explanations.get(NO_POOL) ?? (await refused(request, decided, decision, circumstances))
    );
  const laidOut = { ...decided, decision };
  const explanation = await answerInTime(owner, laidOut, circumstances);
  const { limits } = explanation;
  const linear = limits.length === 0 ? undefined : linearInstead(laidOut);
  if (linear === undefined) return explanation;
  const instead = await answerInTime(owner, linear, circumstances);
  if (instead.limits.length > 0) return explanation;
  const { image } = decision.layout;
  return { ...instead, leftOut: [`${modifierText(image?.modifier ?? LINEAR)}: ${limits.join(' ')}`] };
}

async function answerInTime(
  owner: Owner,
  decided: DecidedLayout,
  circumstances: Circumstances,
): Promise<Explanation> {
  const { snapshot, pools, sessions, runner } = circumstances;
  const serving = poolsOf(decided.decision.memories, pools);
  const caller = await callerOf(owner, accessListsOf(serving, snapshot), sessions);
  const { findings, problem, decision } = decided;
  findings.leftOut ??=
    leftOutAtOnce(decided, snapshot) ?? (await runner.run(leftOut(problem, decision, snapshot.classOf)));
  return answer(decided, { owner, caller, serving }, circumstances);
}

/** The same of what was decided before; undefined when it takes longer. */
export function explainAtOnce(
  owner: Owner,
  request: NewRequest,
  circumstances: Circumstances,
): Explanation | undefined {
  const { snapshot, pools, sessions } = circumstances;
  const decided = snapshot.decisions.of(request);
  if (decided === undefined) return undefined;
  const { decision } = decided;
  if (!decision.feasible) return decided.findings.explanations.get(NO_POOL);
  const serving = poolsOf(decision.memories, pools);
  const caller = callerOf(owner, accessListsOf(serving, snapshot), sessions);
  if (caller instanceof Promise) return undefined;
  const laidOut = { ...decided, decision };
  if (leftOutAtOnce(laidOut, snapshot) === undefined) return undefined;
  const explanation = answer(laidOut, { owner, caller, serving }, circumstances);
  // Perhaps there is memory for a linear layout.
  const isLinear = (decision.layout.image?.modifier ?? LINEAR) === LINEAR;
  return isLinear || explanation.limits.length === 0 ? explanation : undefined;
}

type Infeasible = Extract<Decision, { feasible: false }>;

/** Cache key of an explanation that depends on no pool. */
const NO_POOL = '';

interface Asking {
  readonly owner: Owner;
  readonly caller: Caller;
  /** Pools that would do, best first. */
  readonly serving: readonly Pool[];
}

/** Why the layout has no other modifier; undefined while that takes decisions to find out. */
function leftOutAtOnce(
  { findings, problem, decision }: DecidedLayout,
  { classOf }: Snapshot,
): readonly string[] | undefined {
  if (findings.leftOut !== undefined) return findings.leftOut;
  const first = leftOut(problem, decision, classOf).next();
  if (first.done === true) findings.leftOut = first.value;
  return findings.leftOut;
}

function answer(
  decided: DecidedLayout,
  { owner, caller, serving }: Asking,
  { snapshot, quotas, requester }: Circumstances,
): Explanation {
  const { size, fdSizes } = decided.decision.layout;
  const demand: Demand = { size, fdSizes, count: decided.count, requester };
  const choice = choosePools(serving, demand, caller, snapshot.handOut);
  const quota = quotas.refusal(owner, askedOf(demand), snapshot.limitsOf(owner).limits);
  const [pool] = choice.ok ? choice.pools : serving;
  const explanation = granted(decided, pool, snapshot);
  if (choice.ok && quota === undefined) return explanation;
  const limits = [...(choice.ok ? [] : [choice.refusal.text]), ...(quota === undefined ? [] : [quota])];
  return { ...explanation, limits };
}

/** What there is to say where `Allocate` would refuse nothing more. */
function granted(
  { findings, decision, count }: DecidedLayout,
  pool: Pool | undefined,
  snapshot: Snapshot,
): Explanation {
  const { explanations, leftOut: others = [] } = findings;
  const known = explanations.get(pool?.handle ?? NO_POOL);
  if (known !== undefined) return known;
  const { layout, constraints } = decision;
  const explanation: Explanation = {
    feasible: true,
    ...(pool === undefined ? {} : { layout: snapshot.layouts.of(layout, pool, count) }),
    constraints: constraints.filter((constraint) => isInForce(constraint, layout)),
    conflicts: [],
    ...(others.length > 0 && { leftOut: others }),
    limits: [],
    suggestions: [],
  };
  explanations.set(pool?.handle ?? NO_POOL, explanation);
  return explanation;
}

/** Whether a constraint asks anything of the layout: what is asked of large pitches alone does not of others. */
const isInForce = ({ above }: Constraint, { image }: Layout): boolean =>
  above === undefined || image?.planes.some(({ pitch }) => pitch > above) === true;

async function refused(
  request: NewRequest,
  { problem, findings: { explanations } }: Decided,
  { conflict, isSmallest, constraints }: Infeasible,
  { snapshot, runner }: Circumstances,
): Promise<Explanation> {
  const advice = [
    ...takenFormats(conflict, request, snapshot.index),
    ...(await runner.run(suggestions(problem, conflict, snapshot.classOf))),
    ...(isSmallest ? [] : [CUT_SHORT]),
  ];
  const inForce = constraints.filter((each) => each.above === undefined || conflict.includes(each));
  const explanation = {
    feasible: false,
    constraints: inForce,
    conflicts: conflict,
    ...(isSmallest ? {} : { isSmallest }),
    limits: [],
    suggestions: advice,
  };
  explanations.set(NO_POOL, explanation);
  return explanation;
}

/** What the client could leave out of its own limits, each tried: without it the rest can be had. */
function* suggestions(
  problem: Problem,
  conflict: readonly Constraint[],
  classOf: ClassOf,
): Steps<readonly string[]> {
  const found: string[] = [];
  for (const wish of conflict) {
    if (!problem.constraints.includes(wish)) continue;
    if (wish.origin.source !== 'client' && wish.origin.source !== 'request') continue;
    yield;
    const constraints = problem.constraints.filter((constraint) => constraint !== wish);
    if (decideIfFeasible({ ...problem, constraints }) !== undefined) {
      found.push(`Without ${constraintText(wish, classOf)}, the request can be satisfied.`);
    }
  }
  return found;
}
