import { openSync } from 'node:fs';

import { OwnedFd } from '../../../dbus/owned-fd.js';
import { Allocation, type AllocationTerms } from '../../../daemon/ledger/allocation.js';
import type { Orphan } from '../../../daemon/ledger/orphans.js';
import type { Owner } from '../../../daemon/ledger/ledger-types.js';
import type { Pool, PoolBuffer } from '../../../daemon/pools/pool.js';
import { PAGE } from '../fake-heap.js';
import { poolRig } from '../pools/rig.js';

export const OWNER: Owner = { bus: 'a-bus', name: ':1.1', uid: 1000, groups: [], unit: 'app.scope' };

export const poolOf = ({ countsReferences = true } = {}): Pool =>
  poolRig({ limit: 1n << 40n, countsReferences }).pool;

export const termsOf = (pool: Pool, owner = OWNER): AllocationTerms => ({
  owner,
  label: '',
  layout: { size: PAGE, cpuAccess: 'cached' },
  pool,
});

/** Buffers that count in their pool, as a take leaves them; their descriptors are of no memory. */
export function buffersOf(pool: Pool, count: number): readonly PoolBuffer[] {
  pool.budget.reserve(PAGE * BigInt(count));
  return Array.from({ length: count }, () => ({
    pool,
    fd: new OwnedFd(openSync('/dev/null', 'r')),
    size: PAGE,
    bytes: PAGE,
  }));
}

/** Departures that stand for themselves: their descriptors are never touched. */
export function orphanedBuffers(count: number, options?: { countsReferences?: boolean }): readonly Orphan[] {
  const pool = poolOf(options);
  const allocation = new Allocation('a', termsOf(pool), 0n);
  return Array.from({ length: count }, () => ({
    allocation,
    buffer: { pool, fd: new OwnedFd(0), size: PAGE, bytes: PAGE },
  }));
}
