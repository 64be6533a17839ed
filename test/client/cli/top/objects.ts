import type { AllocationInfo, BrokerStatus, PoolInfo } from '../../../../client/model.js';

/** Objects of a broker, as a watch shows them. */

export const pool = (handle: string, others: Partial<PoolInfo> = {}): PoolInfo => ({
  kind: 'pool',
  path: `/org/dmabroker1/pool/${handle}`,
  handle,
  class: 'scattered',
  limit: 1n << 30n,
  live: 0n,
  warm: 0n,
  hits: 0n,
  misses: 0n,
  ...others,
});

export const allocation = (
  id: string,
  { count = 1, ...others }: Partial<AllocationInfo> & { readonly count?: number } = {},
): AllocationInfo => ({
  kind: 'allocation',
  path: `/org/dmabroker1/allocation/${id}`,
  owner: ':1.5',
  user: 1000,
  unit: '',
  label: '',
  pool: 'a1',
  layout: { size: 4096n, count, pool: 'a1', cpuAccess: 'cached' },
  size: 4096n * BigInt(count),
  created: new Date(0),
  state: 'held',
  ...others,
});

export const status = (others: Partial<BrokerStatus> = {}): BrokerStatus => ({
  kind: 'broker',
  path: '/org/dmabroker1',
  version: '1.2.3',
  maxFdsPerReply: 16,
  liveBytes: 0n,
  liveBuffers: 0n,
  channels: 0,
  policyFiles: [],
  shortfalls: [],
  warnings: [],
  ...others,
});
