import { describe, expect, it } from 'vitest';

import { callerOf, isAllowed } from '../../../daemon/broker/pool-access.js';
import type { Sessions } from '../../../daemon/broker/broker-types.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { CMA, SYSTEM, machine } from '../machine.js';
import { bytes, entry, makeRig, OTHER, OWNER, ROOMY, type Rig } from './rig.js';
import { naming } from '../../harness/naming.js';

const caller = { uid: 1000, groups: ['video'], hasActiveSession: false };

describe('isLetIn', () => {
  it.each([
    [[{ kind: 'users' }], true],
    [[{ kind: 'administrator' }], false],
    [[{ kind: 'group', name: 'video' }], true],
    [[{ kind: 'group', name: 'render' }], false],
    [[{ kind: 'active-session' }], false],
    [[{ kind: 'active-session' }, { kind: 'group', name: 'video' }], true],
    [[], false],
  ] as const)('of %j is %s', (access, is) => {
    expect(isAllowed(caller, access)).toBe(is);
    expect(isAllowed({ ...caller, uid: 0 }, access)).toBe(true);
  });

  it('lets in who sits before the machine', () => {
    expect(isAllowed({ ...caller, hasActiveSession: true }, [{ kind: 'active-session' }])).toBe(true);
    expect(isAllowed({ ...caller, hasActiveSession: true }, [{ kind: 'administrator' }])).toBe(false);
  });
});

describe('callerOf', () => {
  const asked: number[] = [];
  const sessions: Sessions = { isActive: (uid) => asked.push(uid) > 0 };

  it('asks for the session only where that decides', async () => {
    const session = [{ kind: 'active-session' }] as const;
    const users = [{ kind: 'users' }, ...session] as const;
    expect(await callerOf(OWNER, [users, [{ kind: 'administrator' }]], sessions)).toMatchObject({
      hasActiveSession: false,
    });
    await callerOf({ ...OWNER, uid: 0 }, [session], sessions);
    expect(asked).toEqual([]);
    expect(await callerOf(OWNER, [users, session], sessions)).toMatchObject({ hasActiveSession: true });
    expect(asked).toEqual([1000]);
  });
});

describe('a pool that is not for everybody', () => {
  const policy = `${ROOMY}[Pool contiguous]\nAccess=group:video active-session\n[Pool scattered]\nAccess=administrator\n`;
  const line = (text: string): number => policy.split('\n').indexOf(text) + 1;
  const contiguous = bytes(1n, { entries: [entry('cpu', { limits: { contiguous: true } })] });
  const rig = (): Rig => makeRig({ policy, inventory: machine([SYSTEM, CMA]) });
  const allocates = async ({ broker }: Rig, owner: typeof OWNER, request = contiguous): Promise<string> => {
    const granted = await broker.allocate(owner, request);
    closeAll(granted.fds);
    broker.release(owner, granted.allocation.id, false);
    return broker.pools().find(({ handle }) => handle === granted.layout.pool)?.class ?? '';
  };

  it('gives to whom policy lets in, and to administrators', async () => {
    expect(await allocates(rig(), { ...OWNER, groups: ['video'] })).toBe('contiguous');
    expect(await allocates(rig(), { ...OWNER, uid: 0 })).toBe('contiguous');
    const there = rig();
    there.broker.consult({ isActive: (uid) => Promise.resolve(uid === OWNER.uid) });
    expect(await allocates(there, OWNER)).toBe('contiguous');
    await expect(allocates(there, { ...OTHER, uid: 1001 })).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it('is refused with the line of policy, in Explain too', async () => {
    const { broker } = rig();
    const text = expect.stringMatching(
      naming(
        broker.pools().find((pool) => pool.class === 'contiguous')?.handle ?? '?',
        'group:video active-session',
        `policy:/etc/dmabroker/dmabroker.conf:${line('Access=group:video active-session')}`,
      ),
    ) as string;
    await expect(broker.allocate(OWNER, contiguous)).rejects.toMatchObject({
      code: 'AccessDenied',
      message: text,
    });
    expect(await broker.explain(OWNER, contiguous)).toMatchObject({ feasible: true, limits: [text] });
    expect((await broker.explain({ ...OWNER, groups: ['video'] }, contiguous)).limits).toEqual([]);
  });

  it('is passed over for one that is', async () => {
    expect(await allocates(rig(), { ...OWNER, groups: ['video'] }, bytes(1n))).toBe('contiguous');
    expect(await allocates(rig(), { ...OWNER, uid: 0 }, bytes(1n))).toBe('scattered');
  });

  it('gives no more to an allocation whose owner is not let in any more', async () => {
    const there = rig();
    let isActive = true;
    there.broker.consult({ isActive: () => isActive });
    const granted = await there.broker.allocate(OWNER, contiguous);
    isActive = false;
    await expect(there.broker.allocate(OWNER, { extends: granted.allocation.id })).rejects.toMatchObject({
      code: 'AccessDenied',
    });
    closeAll(granted.fds);
    there.broker.release(OWNER, granted.allocation.id, false);
  });
});
