import type { Layout } from '../constraints/types.js';
import type { Pool } from '../pools/pool.js';
import type { GrantedLayout } from './types.js';

/** A layout with what its pool adds to it. */
export const grantedLayout = (layout: Layout, pool: Pool, count: number): GrantedLayout => ({
  ...layout,
  count,
  pool: pool.handle,
  cpuAccess: pool.facts.cpuAccess,
});
