import type { Broker } from '../broker.js';

/** Says a pool's handle for a person, with its class. */
export type MemoryName = (handle: string) => string;

/** @throws {DmabrokerError} */
export async function memoryNames(broker: Broker): Promise<MemoryName> {
  const classes = new Map((await broker.pools()).map((pool) => [pool.handle, pool.class]));
  return (handle) => `${handle} (${classes.get(handle) ?? 'gone'})`;
}
