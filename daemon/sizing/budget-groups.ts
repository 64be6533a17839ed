import type { MemoryClass } from '../../dbus/names.js';
import type { PolicyValue } from '../policy/policy.js';
import type { PoolPlan } from './plan.js';

/** Memory that a budget speaks of: a heap's own, or what the heaps of a class take from RAM together. */
export interface BudgetGroup {
  readonly class: MemoryClass;
  /** Best first. */
  readonly plans: readonly PoolPlan[];
  readonly limit: PolicyValue<bigint>;
  /** Bytes that the heap has of its own; absent where its memory is RAM at large. */
  readonly capacity?: bigint;
  /** Bytes that can be handed out: the smaller of the two. */
  readonly bytes: bigint;
}

/** The rooms of a plan, in its order. Pools of one class that draw on RAM share the largest of their limits (`Budget`). */
export function budgetGroupsOf(plans: readonly PoolPlan[]): readonly BudgetGroup[] {
  const groups = new Map<string, BudgetGroup>();
  for (const plan of plans) {
    const capacity = plan.heap.capacity?.value;
    const key = capacity === undefined ? plan.class : `${plan.class} ${plan.heap.id}`;
    const shared = groups.get(key);
    const limit = shared !== undefined && shared.limit.value >= plan.limit.value ? shared.limit : plan.limit;
    groups.set(key, {
      class: plan.class,
      plans: [...(shared?.plans ?? []), plan],
      limit,
      ...(capacity !== undefined && { capacity }),
      bytes: capacity !== undefined && capacity < limit.value ? capacity : limit.value,
    });
  }
  return [...groups.values()];
}
