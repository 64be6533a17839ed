import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the kernel shows its CMA regions (CONFIG_CMA_SYSFS). */
export const REGIONS = '/sys/kernel/mm/cma';

/**
 * Bytes that all CMA regions have handed out and not got back, to the page (mm/cma_sysfs.c). CmaFree is no measure for a
 * test: it lags by some hundred pages that processors count, or keep for themselves after a release.
 * @param regions where they are seen, when something lies over their own place
 */
export function cmaTaken(regions = REGIONS): bigint {
  const pages = (region: string, counter: string) =>
    BigInt(readFileSync(join(regions, region, counter), 'utf8').trim());
  const names = readdirSync(regions);
  assert.notEqual(names.length, 0, `${regions} has no region`);
  const taken = names.map(
    (name) => pages(name, 'alloc_pages_success') - pages(name, 'release_pages_success'),
  );
  return taken.reduce((sum, count) => sum + count, 0n) * 4096n;
}
