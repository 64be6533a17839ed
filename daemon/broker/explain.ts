import type { Decision } from '../constraints/types.js';
import type { Quotas } from '../ledger/quotas.js';
import type { Pool } from '../pools/pool.js';
import type { Pools } from '../pools/pools.js';
import { callerOf, type Caller } from './access.js';
import { choosePools } from './choose.js';
import type { Decided } from './decisions.js';
import { decideRequest } from './solve.js';
import { suggestions } from './suggest.js';
import type { Explanation, NewRequest, Owner, Sessions } from './types.js';
import { doorsOf, poolsOf, type World } from './world.js';

/** What an explanation looks at besides the request. */
export interface Circumstances {
  readonly world: World;
  readonly pools: Pools;
  readonly sessions: Sessions;
  readonly quotas: Quotas;
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
  const { world, pools, sessions } = circumstances;
  const decided = await decideRequest(request, world);
  const { decision } = decided;
  if (!decision.feasible)
    return decided.explanations.get(NO_POOL) ?? (await refused(decided, decision, world));
  const serving = poolsOf(decision.memories, pools);
  const caller = await callerOf(owner, doorsOf(serving, world), sessions);
  return answer(decided, decision, { owner, caller, serving }, circumstances);
}

/** The same of what was decided before; undefined when it takes longer. */
export function explainAtOnce(
  owner: Owner,
  request: NewRequest,
  circumstances: Circumstances,
): Explanation | undefined {
  const { world, pools, sessions } = circumstances;
  const decided = world.decisions.of(request);
  if (decided === undefined) return undefined;
  const { decision } = decided;
  if (!decision.feasible) return decided.explanations.get(NO_POOL);
  const serving = poolsOf(decision.memories, pools);
  const caller = callerOf(owner, doorsOf(serving, world), sessions);
  return caller instanceof Promise
    ? undefined
    : answer(decided, decision, { owner, caller, serving }, circumstances);
}

type Feasible = Extract<Decision, { feasible: true }>;
type Infeasible = Extract<Decision, { feasible: false }>;

/** Under this name stands what no pool has a part in. */
const NO_POOL = '';

interface Asking {
  readonly owner: Owner;
  readonly caller: Caller;
  /** Pools that would do, best first. */
  readonly serving: readonly Pool[];
}

function answer(
  decided: Decided,
  decision: Feasible,
  { owner, caller, serving }: Asking,
  { world, quotas }: Circumstances,
): Explanation {
  const { size } = decision.layout;
  const { count } = decided;
  const choice = choosePools(serving, { size, count }, caller, world.handOut);
  const asked = { bytes: size * BigInt(count), buffers: count };
  const quota = quotas.refusal(owner, asked, world.allowance(owner).limits);
  const [pool] = choice.ok ? choice.pools : serving;
  const explanation = granted(decided, decision, pool, world);
  if (choice.ok && quota === undefined) return explanation;
  const limits = [...(choice.ok ? [] : [choice.refusal.text]), ...(quota === undefined ? [] : [quota])];
  return { ...explanation, limits };
}

/** What there is to say where `Allocate` would refuse nothing more. */
function granted(decided: Decided, decision: Feasible, pool: Pool | undefined, world: World): Explanation {
  const { explanations, count } = decided;
  const known = explanations.get(pool?.handle ?? NO_POOL);
  if (known !== undefined) return known;
  const { layout, constraints } = decision;
  const explanation: Explanation = {
    feasible: true,
    ...(pool === undefined ? {} : { layout: world.layouts.of(layout, pool, count) }),
    constraints,
    conflicts: [],
    limits: [],
    suggestions: [],
  };
  explanations.set(pool?.handle ?? NO_POOL, explanation);
  return explanation;
}

async function refused(
  { problem, explanations }: Decided,
  { conflict, constraints }: Infeasible,
  world: World,
): Promise<Explanation> {
  const advice = await suggestions(problem, conflict, world.classOf);
  const explanation = { feasible: false, constraints, conflicts: conflict, limits: [], suggestions: advice };
  explanations.set(NO_POOL, explanation);
  return explanation;
}
