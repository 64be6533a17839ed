import { afterEach, describe, expect, it } from 'vitest';

import { closeAll } from '../../../dbus/owned-fd.js';
import { PAGE } from '../fake-heap.js';
import { machine, SYSTEM } from '../machine.js';
import { bytes, makeRig, OTHER, OWNER, ROOMY, type Rig } from './rig.js';
import { naming } from '../../harness/naming.js';

const policy = (quota: string): string => `${ROOMY}[Quota]\n${quota}\n`;

describe('a quota', () => {
  let rig: Rig;
  afterEach(() => {
    rig.broker.close();
  });

  it('refuses what would be too much, says who holds the rest, and serves at once after a release', async () => {
    rig = makeRig({ policy: policy(`Bytes=${4n * PAGE}`) });
    const { broker } = rig;
    const first = await broker.allocate(OTHER, bytes(3n * PAGE));
    closeAll(first.fds);
    await expect(broker.allocate(OWNER, bytes(2n * PAGE))).rejects.toMatchObject({
      code: 'QuotaExceeded',
      message: expect.stringMatching(
        naming('Bytes', 1000, '16 KiB', '12 KiB', '8 KiB', OTHER.name),
      ) as string,
    });
    expect((await broker.explain(OWNER, bytes(2n * PAGE))).limits.join()).toMatch(naming('Bytes', 1000));
    broker.release(OTHER, first.allocation.id, false);
    const second = await broker.allocate(OWNER, bytes(2n * PAGE));
    closeAll(second.fds);
    broker.release(OWNER, second.allocation.id, false);
    expect(broker.totals()).toMatchObject({ liveBytes: 0n, liveBuffers: 0 });
  });

  it('counts buffers of a connection over all its calls, and of those that run at the same time', async () => {
    rig = makeRig({ policy: policy('ClientBuffers=3') });
    const { broker } = rig;
    const asked = [1, 2, 3, 4, 5].map(() => Promise.resolve(broker.allocate(OWNER, bytes(PAGE))));
    const settled = await Promise.allSettled(asked);
    const granted = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(granted).toHaveLength(3);
    const other = await broker.allocate(OTHER, bytes(PAGE));
    for (const { fds } of [...granted, other]) closeAll(fds);
    const [one] = granted;
    if (one === undefined) throw new Error('none was granted');
    await expect(broker.allocate(OWNER, { extends: one.allocation.id, count: 1 })).rejects.toMatchObject({
      code: 'QuotaExceeded',
    });
    broker.ownerLeft(OWNER.bus, OWNER.name);
    broker.ownerLeft(OTHER.bus, OTHER.name);
  });

  it('gives everything back when memory cannot be made', async () => {
    rig = makeRig({ inventory: machine([SYSTEM]), policy: policy(`Bytes=${4n * PAGE}`) });
    const { broker } = rig;
    rig.heap(SYSTEM.id).faults.push('ENOMEM');
    await expect(broker.allocate(OWNER, bytes(4n * PAGE))).rejects.toThrow();
    const granted = await broker.allocate(OWNER, bytes(4n * PAGE));
    closeAll(granted.fds);
    broker.ownerLeft(OWNER.bus, OWNER.name);
  });

  it('on requests a second is for users, and not for an administrator', async () => {
    rig = makeRig({ policy: policy('Rate=1\nBurst=2') });
    const { broker } = rig;
    await broker.explain(OWNER, bytes(PAGE));
    await broker.explain(OTHER, bytes(PAGE));
    await expect(broker.explain(OWNER, bytes(PAGE))).rejects.toMatchObject({ code: 'QuotaExceeded' });
    const root = { ...OWNER, name: ':1.9', uid: 0 };
    for (let i = 0; i < 5; i++) await broker.explain(root, bytes(PAGE));
  });
});
