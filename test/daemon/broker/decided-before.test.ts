import { afterEach, describe, expect, it, vi } from 'vitest';

import type { ClosableBroker } from '../../../daemon/broker/broker.js';
import type { Granted } from '../../../daemon/broker/broker-types.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { buffersOpen, PAGE } from '../fake-heap.js';
import { CMA, machine, policyOf, SYSTEM } from '../machine.js';
import { bytes, entry, image, makeRig, OWNER, type Rig } from './rig.js';

const WARM = '[Pool scattered]\nLimit=64K\nWarm=32K\n[Pool contiguous]\nLimit=64K\nWarm=0\n';
const ROOT = { ...OWNER, uid: 0 };

const made: ClosableBroker[] = [];
const granted: Granted[] = [];
function rigOf(policy = WARM): Rig {
  const rig = makeRig({ inventory: machine([SYSTEM, CMA]), policy, warm: true });
  made.push(rig.broker);
  return rig;
}
afterEach(async () => {
  for (const { fds } of granted.splice(0)) closeAll(fds);
  for (const broker of made.splice(0)) {
    for (const { id } of broker.allocations()) broker.release(ROOT, id, true);
    broker.close();
  }
  await vi.waitFor(() => {
    expect(buffersOpen()).toEqual([]);
  });
});

async function take(rig: Rig, request = bytes(PAGE)): Promise<Granted> {
  const one = await rig.broker.allocate(ROOT, request);
  granted.push(one);
  return one;
}

/** Has a buffer lie ready. */
async function warmed(rig: Rig, request = bytes(PAGE)): Promise<void> {
  await take(rig, request);
  rig.timers.pass(50);
  await vi.waitFor(() => {
    expect(rig.broker.pools().some(({ warm }) => warm >= PAGE)).toBe(true);
  });
}

describe('a request that was decided before', () => {
  it('is served at once from what lies ready, and waits for what does not', async () => {
    const rig = rigOf();
    const request = bytes(PAGE);
    await warmed(rig, request);
    const atOnce = rig.broker.allocate(ROOT, request);
    expect(atOnce).not.toBeInstanceOf(Promise);
    granted.push(await atOnce);
    const later = rig.broker.allocate(ROOT, request);
    expect(later).toBeInstanceOf(Promise);
    granted.push(await later);
    expect(new Set(granted.map(({ layout }) => layout))).toEqual(new Set([(await atOnce).layout]));
  });

  it('counts against its owner, and is refused when it is too much', async () => {
    const rig = rigOf(`${WARM}[Quota]\nClientBuffers=2\n`);
    const request = bytes(PAGE);
    await warmed(rig, request);
    granted.push(await rig.broker.allocate(ROOT, request));
    await expect(rig.broker.allocate(ROOT, request)).rejects.toMatchObject({ code: 'QuotaExceeded' });
    expect(rig.broker.totals()).toMatchObject({ liveBuffers: 2, liveBytes: 2n * PAGE });
  });

  it('gives everything back when a descriptor cannot be copied', async () => {
    const rig = rigOf();
    const request = bytes(PAGE);
    rig.heap(SYSTEM.id).lastDescriptorIn = 1;
    await warmed(rig, request);
    await expect(rig.broker.allocate(ROOT, request)).rejects.toMatchObject({ code: 'Unavailable' });
    expect(rig.broker.totals()).toMatchObject({ liveBuffers: 1, liveBytes: PAGE });
  });

  it('is decided anew under another policy', async () => {
    const rig = rigOf();
    const request = image({ entries: [entry('cpu')] });
    const before = await rig.broker.explain(ROOT, request);
    expect(before).toMatchObject({ feasible: true, limits: [] });
    expect(await rig.broker.explain(ROOT, request)).toBe(before);
    rig.setPolicy(policyOf('[Heap name=*]\nUse=no\n'));
    await rig.broker.reload();
    await expect(rig.broker.explain(ROOT, request)).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('is decided anew on another machine', async () => {
    const rig = rigOf();
    const request = bytes(PAGE, { entries: [entry('cpu', { limits: { contiguous: true } })] });
    expect(await rig.broker.explain(ROOT, request)).toMatchObject({ feasible: true });
    rig.become(machine([SYSTEM]));
    const after = await rig.broker.explain(ROOT, request);
    expect(after).toMatchObject({ feasible: false });
    expect(await rig.broker.explain(ROOT, request)).toBe(after);
  });

  it('is explained with what would be refused now, whatever was said before', async () => {
    const rig = rigOf(`${WARM}[Quota]\nClientBuffers=1\n`);
    const request = bytes(PAGE);
    expect(await rig.broker.explain(ROOT, request)).toMatchObject({ limits: [] });
    const { allocation } = await take(rig, request);
    const { limits } = await rig.broker.explain(ROOT, request);
    expect(limits.join()).toContain('ClientBuffers');
    for (const { fds } of granted.splice(0)) closeAll(fds);
    rig.broker.release(ROOT, allocation.id, true);
    expect(await rig.broker.explain(ROOT, request)).toMatchObject({ limits: [] });
  });
});
