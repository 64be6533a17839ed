import type { Layout } from '../constraints/types.js';
import type { Pool } from '../pools/pool.js';
import type { GrantedLayout } from './types.js';

/** A layout with what its pool adds to it. */
const grantedLayout = (layout: Layout, pool: Pool, count: number): GrantedLayout => ({
  ...layout,
  count,
  pool: pool.handle,
  cpuAccess: pool.facts.cpuAccess,
});

/** Layouts as they are granted, each made once, so that whoever writes one down need not do it twice either. */
export class GrantedLayouts {
  readonly #known = new WeakMap<Layout, Map<string, GrantedLayout>>();

  of(layout: Layout, pool: Pool, count: number): GrantedLayout {
    const key = `${pool.handle} ${count}`;
    const of = this.#known.get(layout);
    const known = of?.get(key);
    if (known !== undefined) return known;
    const granted = grantedLayout(layout, pool, count);
    if (of === undefined) this.#known.set(layout, new Map([[key, granted]]));
    else of.set(key, granted);
    return granted;
  }
}
