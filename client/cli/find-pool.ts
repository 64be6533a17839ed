import type { Broker } from '../broker.js';
import { DmabrokerError } from '../errors.js';
import type { PoolInfo } from '../model.js';
import { poolName } from './memory-names.js';

/** Finds a pool by its handle, or by what `dmabrokerctl pools` calls it. @throws {DmabrokerError} */
export async function findPool(broker: Broker, name: string): Promise<PoolInfo> {
  const pools = await broker.pools();
  const pool = pools.find((each) => each.handle === name || poolName(each, pools) === name);
  if (pool === undefined) {
    throw new DmabrokerError('InvalidRequest', `there is no pool '${name}'; dmabrokerctl pools lists them`);
  }
  return pool;
}
