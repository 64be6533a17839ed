import { callerOf } from './access.js';
import { choosePools } from './choose.js';
import { grantedLayout } from './layout.js';
import { pose } from './problem.js';
import { solve } from './solve.js';
import { suggestions } from './suggest.js';
import type { Quotas } from '../ledger/quotas.js';
import type { Pools } from '../pools/pools.js';
import type { Explanation, NewRequest, Owner, Sessions } from './types.js';
import { doorsOf, poolsOf, type World } from './world.js';

/**
 * The same decision as an allocation's, with its reasons, and what `Allocate` would still refuse.
 * @throws {BrokerError} for what is wrong with the request itself
 */
export async function explain(
  owner: Owner,
  request: NewRequest,
  world: World,
  pools: Pools,
  { sessions, quotas }: { readonly sessions: Sessions; readonly quotas: Quotas },
): Promise<Explanation> {
  const { problem, count } = pose(request, world);
  const decision = await solve(problem);
  const { constraints } = decision;
  if (!decision.feasible) {
    const { conflict } = decision;
    const advice = await suggestions(problem, conflict, world.classOf);
    return { feasible: false, constraints, conflicts: conflict, limits: [], suggestions: advice };
  }
  const { layout, memories } = decision;
  const serving = poolsOf(memories, pools);
  const caller = await callerOf(owner, doorsOf(serving, world), sessions);
  const choice = choosePools(serving, { size: layout.size, count }, caller, world.handOut);
  const asked = { bytes: layout.size * BigInt(count), buffers: count };
  const quota = quotas.refusal(owner, asked, world.allowance(owner).limits);
  const [pool] = choice.ok ? choice.pools : serving;
  return {
    feasible: true,
    ...(pool === undefined ? {} : { layout: grantedLayout(layout, pool, count) }),
    constraints,
    conflicts: [],
    limits: [...(choice.ok ? [] : [choice.refusal.text]), ...(quota === undefined ? [] : [quota])],
    suggestions: [],
  };
}
