import type { Broker, Details, PoolInfo } from '../../../client/index.js';

/** A pool with what an administrator may learn of it. */
export type RevealedPool = PoolInfo & { readonly details: Details };

export async function revealedPools(broker: Broker): Promise<readonly RevealedPool[]> {
  const pools = await broker.pools();
  return Promise.all(pools.map(async (pool) => ({ ...pool, details: await broker.reveal(pool.handle) })));
}

/** The pool of a heap, by the kernel's name for it. */
export const poolOfHeap = async (broker: Broker, name: string): Promise<RevealedPool | undefined> =>
  (await revealedPools(broker)).find(({ details }) => details['name'] === name);
