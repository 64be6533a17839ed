import type { Broker } from '../broker.js';
import type { PoolInfo } from '../model.js';
import { nearest } from '../../daemon/policy/suggest.js';
import { DmabrokerError } from '../errors.js';

/** Says a pool's handle for a person. */
export type MemoryName = (handle: string) => string;

/** Letters of a handle that tell pools apart more often than not. */
const SHORT = 4;

/** The class of a pool, and as much of its handle as it takes to tell it from others of that class. */
export function poolName(pool: PoolInfo, all: readonly PoolInfo[]): string {
  const others = all.filter((each) => each.class === pool.class && each.handle !== pool.handle);
  if (others.length === 0) return pool.class;
  const lengths = Array.from({ length: pool.handle.length }, (_, index) => index + 1).slice(SHORT - 1);
  const length = lengths.find(
    (each) => !others.some(({ handle }) => handle.startsWith(pool.handle.slice(0, each))),
  );
  return `${pool.class}:${pool.handle.slice(0, length)}`;
}

/** @throws {DmabrokerError} */
export async function memoryNames(broker: Pick<Broker, 'pools'>): Promise<MemoryName> {
  const pools = await broker.pools();
  const names = new Map(pools.map((pool) => [pool.handle, poolName(pool, pools)]));
  return (handle) => names.get(handle) ?? handle;
}

/** Finds a pool by its handle, or by what `dmabrokerctl pools` calls it. @throws {DmabrokerError} */
export async function findPool(broker: Broker, name: string): Promise<PoolInfo> {
  const pools = await broker.pools();
  const pool = pools.find((each) => each.handle === name || poolName(each, pools) === name);
  if (pool === undefined)
    throw new DmabrokerError('InvalidRequest', `there is no pool '${name}'; ${poolsMeant(name, pools)}`);
  return pool;
}

/** Which pools there are, or those of the class where the class alone was named and several are of it. */
function poolsMeant(name: string, pools: readonly PoolInfo[]): string {
  const nameOf = (pool: PoolInfo): string => poolName(pool, pools);
  const ofClass = pools.filter((pool) => pool.class === name).map(nameOf);
  if (ofClass.length > 0) return `several are of that class: ${ofClass.join(', ')}`;
  const names = pools.map(nameOf);
  const meant = nearest(name, names);
  const there = names.length === 0 ? 'there is none' : `there is ${names.join(', ')}`;
  return meant === undefined ? there : `did you mean ${meant}? ${there}`;
}
