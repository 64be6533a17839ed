import { describe, expect, it, onTestFinished } from 'vitest';

import { closeAll } from '../../../dbus/owned-fd.js';
import { followStatus, statusLine } from '../../../daemon/service/reports.js';
import { bytes, makeRig, OWNER, type Rig } from '../broker/rig.js';
import { PAGE } from '../fake-heap.js';
import { CPU_DEVICE } from '../../../daemon/devices/inventory.js';
import { machine, MEMFD, MIB } from '../machine.js';

function rigOf(): Rig {
  const rig = makeRig({ inventory: machine([MEMFD], [CPU_DEVICE]) });
  onTestFinished(() => {
    rig.broker.close();
  });
  return rig;
}

/** Takes memory until the test ends. */
async function take({ broker }: Rig, size: bigint): Promise<string> {
  const { fds, allocation } = await broker.allocate(OWNER, bytes(size));
  onTestFinished(() => {
    closeAll(fds);
  });
  return allocation.id;
}

describe('the status line', () => {
  it('counts what there is, in the number that it has', async () => {
    const rig = rigOf();
    expect(statusLine(rig.broker)).toBe('1 device, 1 heap, 0 buffers, 0 bytes');
    await take(rig, MIB);
    expect(statusLine(rig.broker)).toBe('1 device, 1 heap, 1 buffer, 1 MiB');
    await take(rig, PAGE);
    expect(statusLine(rig.broker)).toBe('1 device, 1 heap, 2 buffers, 1 MiB');
  });

  it('is told at once, then within a second of a change, and never else', async () => {
    const rig = rigOf();
    const told: string[] = [];
    const before = rig.timers.pending;
    followStatus(rig.broker, rig.timers.later, (line) => told.push(line));
    expect(told).toEqual(['1 device, 1 heap, 0 buffers, 0 bytes']);
    expect(rig.timers.pending).toBe(before);
    await take(rig, MIB);
    await take(rig, MIB);
    expect(told).toHaveLength(1);
    rig.timers.pass(1000);
    expect(told.slice(1)).toEqual(['1 device, 1 heap, 2 buffers, 2 MiB']);
    rig.timers.pass(60_000);
    expect(told).toHaveLength(2);
  });

  it('is not told twice when what changed is back as it was', async () => {
    const rig = rigOf();
    const told: string[] = [];
    followStatus(rig.broker, rig.timers.later, (line) => told.push(line));
    const { fds, allocation } = await rig.broker.allocate(OWNER, bytes(MIB));
    closeAll(fds);
    rig.broker.release(OWNER, allocation.id, false);
    rig.timers.pass(10_000);
    expect(rig.broker.totals().liveBuffers).toBe(0);
    expect(new Set(told)).toEqual(new Set(told.slice(-1)));
  });

  it('is not told any more when that was ended', async () => {
    const rig = rigOf();
    const told: string[] = [];
    const following = followStatus(rig.broker, rig.timers.later, (line) => told.push(line));
    await take(rig, MIB);
    following[Symbol.dispose]();
    await take(rig, MIB);
    rig.timers.pass(10_000);
    expect(told).toHaveLength(1);
  });
});
