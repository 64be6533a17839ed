import type { Broker } from '../broker.js';
import { DmabrokerError } from '../errors.js';
import type { PoolInfo } from '../model.js';

/** Finds a pool by its handle, or by its class where only one is of it. @throws {DmabrokerError} */
export async function findPool(broker: Broker, name: string): Promise<PoolInfo> {
  const pools = await broker.pools();
  const found = pools.filter((pool) => pool.handle === name || pool.class === name);
  const [pool, another] = found;
  if (pool === undefined) throw refusal(`there is no pool '${name}'; dmabrokerctl pools lists them`);
  if (another !== undefined) throw refusal(`several pools are ${name}; name one by its handle`);
  return pool;
}

const refusal = (why: string): DmabrokerError => new DmabrokerError('InvalidRequest', why);
