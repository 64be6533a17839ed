import { describe, expect, it } from 'vitest';

import { Quotas, type Reservation } from '../../../daemon/ledger/quotas.js';
import type { QuotaLimit } from '../../../daemon/ledger/quota.js';
import type { Owner } from '../../../daemon/ledger/ledger-types.js';
import { Usage } from '../../../daemon/ledger/usage.js';
import { naming } from '../../harness/naming.js';

const OWNER: Owner = { bus: 'a-bus', name: ':1.1', uid: 1000, groups: [], unit: 'app.scope' };
const LIMITS: readonly QuotaLimit[] = [
  { key: 'Bytes', subject: 'user', unit: 'bytes', value: 100n, source: 'policy:file:1' },
  { key: 'ClientBuffers', subject: 'client', unit: 'buffers', value: 4n, source: 'policy:file:2' },
];

const once = (bytes: bigint) => ({ bytes, buffers: 1 });

async function reserved(quotas: Quotas, bytes: bigint): Promise<Reservation> {
  const result = await quotas.reserve(OWNER, once(bytes), LIMITS);
  if (!result.ok) throw new Error(result.refusal);
  return result.reservation;
}

describe('Quotas', () => {
  it('counts what is being made, so that two requests cannot pass a limit together', async () => {
    const quotas = new Quotas(new Usage(), () => Promise.resolve());
    const first = await reserved(quotas, 60n);
    const second = await quotas.reserve(OWNER, once(60n), LIMITS);
    expect(second).toMatchObject({
      ok: false,
      refusal: expect.stringMatching(naming('Bytes', 60)) as string,
    });
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await reserved(quotas, 100n);
  });

  it('looks again at what the user left before it refuses, and not otherwise', async () => {
    const usage = new Usage();
    usage.add(OWNER, once(90n));
    let looks = 0;
    const quotas = new Quotas(usage, (uid) => {
      expect(uid).toBe(OWNER.uid);
      looks += 1;
      usage.take(OWNER, once(90n));
      return Promise.resolve();
    });
    await reserved(quotas, 10n);
    expect(looks).toBe(0);
    await reserved(quotas, 80n);
    expect(looks).toBe(1);
  });

  it('looks once for all that wait', async () => {
    const usage = new Usage();
    usage.add(OWNER, once(100n));
    let looks = 0;
    let end = (): void => undefined;
    const quotas = new Quotas(usage, async () => {
      looks += 1;
      await new Promise<void>((resolve) => (end = resolve));
      usage.take(OWNER, once(100n));
    });
    const both = [quotas.reserve(OWNER, once(50n), LIMITS), quotas.reserve(OWNER, once(50n), LIMITS)];
    end();
    expect((await Promise.all(both)).map(({ ok }) => ok)).toEqual([true, true]);
    expect(looks).toBe(1);
  });

  it('counts what was really made, and refuses when that is too much', async () => {
    const usage = new Usage();
    const quotas = new Quotas(usage, () => Promise.resolve());
    using reservation = await reserved(quotas, 60n);
    expect(reservation.settle(once(100n))).toBeUndefined();
    expect(usage.of('user', OWNER)).toEqual(once(100n));
    expect(reservation.settle(once(101n))).toMatch(naming('Bytes', 100, 0, 101));
    expect(usage.of('user', OWNER)).toEqual(once(100n));
  });

  it('counts what was made against every limit, and nothing when it is over', async () => {
    const usage = new Usage();
    const quotas = new Quotas(usage, () => Promise.resolve());
    const reservation = await reserved(quotas, 60n);
    expect(reservation.settle(once(60n))).toBeUndefined();
    expect(reservation.settle({ bytes: 60n, buffers: 5 })).toMatch(naming('ClientBuffers', 4, 0, 5));
    expect(reservation.settle({ bytes: 60n, buffers: 4 })).toBeUndefined();
    expect(usage.of('user', OWNER)).toEqual({ bytes: 60n, buffers: 4 });
    reservation[Symbol.dispose]();
    expect(reservation.settle(once(50n))).toBeUndefined();
    expect(usage.of('user', OWNER)).toEqual({ bytes: 0n, buffers: 0 });
  });

  it('looks anew for who comes when a look is over', async () => {
    const usage = new Usage();
    usage.add(OWNER, once(100n));
    let looks = 0;
    const quotas = new Quotas(usage, () => {
      looks += 1;
      return Promise.resolve();
    });
    for (let i = 0; i < 2; i++) expect((await quotas.reserve(OWNER, once(1n), LIMITS)).ok).toBe(false);
    expect(looks).toBe(2);
  });

  it('is left as it was by a look that fails', async () => {
    const usage = new Usage();
    usage.add(OWNER, once(100n));
    const quotas = new Quotas(usage, () => Promise.reject(new Error('the look failed')));
    await expect(quotas.reserve(OWNER, once(1n), LIMITS)).rejects.toThrow('the look failed');
    await expect(quotas.reserve(OWNER, once(1n), LIMITS)).rejects.toThrow('the look failed');
    expect(usage.of('user', OWNER)).toEqual(once(100n));
  });
});
