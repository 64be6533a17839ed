import type { Pool } from '../pools/pool.js';

/** What stands behind a pool's handle, for an administrator. */
export function revealPool({
  class: memoryClass,
  facts,
  budget,
}: Pool): ReadonlyMap<string, string | bigint | boolean> {
  const details = new Map<string, string | bigint | boolean>([
    ['heap', facts.id],
    ['name', facts.name],
    ['kind', facts.kind],
    ['class', memoryClass],
    ['class-source', facts.class.source],
    ['cpu-access', facts.cpuAccess],
    ['limit', budget.limit],
  ]);
  if (facts.node !== undefined) details.set('node', facts.node);
  if (facts.capacity !== undefined) details.set('capacity', facts.capacity.value);
  if (facts.maxBuffer !== undefined) details.set('max-buffer', facts.maxBuffer.value);
  return details;
}
