import { describe, expect, it } from 'vitest';

import { quotaRefusal, type QuotaLimit } from '../../../daemon/ledger/quota.js';
import type { Owner } from '../../../daemon/ledger/ledger-types.js';
import { Usage } from '../../../daemon/ledger/usage.js';
import { naming } from '../../harness/naming.js';

const ASKER: Owner = { bus: 'a-bus', name: ':1.1', uid: 1000, groups: [], unit: 'app-player.scope' };
const SAME_USER: Owner = { ...ASKER, name: ':1.2', unit: 'app-camera.scope' };
const SAME_UNIT: Owner = { ...ASKER, name: ':1.3' };
const STRANGER: Owner = { ...ASKER, name: ':1.4', uid: 1001, unit: 'app-secret.scope' };

const limit = (parts: Partial<QuotaLimit>): QuotaLimit => ({
  key: 'Bytes',
  subject: 'user',
  unit: 'bytes',
  value: 100n,
  source: 'policy:/etc/dmabroker/dmabroker.conf:3',
  ...parts,
});

describe('quotaRefusal', () => {
  it('lets the limit itself be reached', () => {
    const usage = new Usage();
    usage.add(ASKER, { bytes: 60n, buffers: 1 });
    expect(quotaRefusal(ASKER, { bytes: 40n, buffers: 1 }, [limit({})], usage)).toBeUndefined();
    expect(quotaRefusal(ASKER, { bytes: 41n, buffers: 1 }, [limit({})], usage)).toMatch(
      naming('Bytes', 1000, 100, 'policy:/etc/dmabroker/dmabroker.conf:3', 60, 41),
    );
  });

  it('says which of the same user hold the rest, and nothing of another user', () => {
    const usage = new Usage();
    usage.add(SAME_USER, { bytes: 70n, buffers: 2 });
    usage.add(STRANGER, { bytes: 1000n, buffers: 9 });
    const text = quotaRefusal(ASKER, { bytes: 31n, buffers: 1 }, [limit({})], usage);
    expect(text).toMatch(naming(70, 31));
    expect(text).toMatch(naming(':1.2', 'app-camera.scope'));
    expect(text).not.toContain('secret');
  });

  it('counts a connection and a unit by themselves', () => {
    const usage = new Usage();
    usage.add(SAME_UNIT, { bytes: 1n, buffers: 4 });
    usage.add(SAME_USER, { bytes: 1n, buffers: 50 });
    const client = limit({ key: 'ClientBuffers', subject: 'client', unit: 'buffers', value: 5n });
    const unit = limit({ key: 'UnitBuffers', subject: 'unit', unit: 'buffers', value: 5n });
    expect(quotaRefusal(ASKER, { bytes: 1n, buffers: 5 }, [client], usage)).toBeUndefined();
    expect(quotaRefusal(ASKER, { bytes: 1n, buffers: 6 }, [client], usage)).toMatch(
      naming('ClientBuffers', ':1.1', 5, 0, 6),
    );
    const text = quotaRefusal(ASKER, { bytes: 1n, buffers: 2 }, [client, unit], usage);
    expect(text).toMatch(naming('UnitBuffers', 'app-player.scope', 1000, 5, 4, 2, ':1.3'));
    expect(text).not.toContain(':1.2');
  });

  it('names holders that have any of what is limited, with their unit where they have one', () => {
    const usage = new Usage();
    usage.add(SAME_USER, { bytes: 0n, buffers: 7 });
    usage.add({ ...SAME_UNIT, unit: '' }, { bytes: 70n, buffers: 0 });
    const bytes = quotaRefusal(ASKER, { bytes: 31n, buffers: 1 }, [limit({})], usage);
    expect(bytes).toMatch(naming(':1.3', 70));
    expect(bytes).not.toMatch(/:1\.2|\(\)/);
    const client = limit({ key: 'ClientBytes', subject: 'client', value: 1n });
    expect(quotaRefusal(ASKER, { bytes: 2n, buffers: 1 }, [client], usage)).not.toMatch(/:1\.[23]/);
  });

  it('names all of three holders, and what is more than that as a number', () => {
    const usage = new Usage();
    const hold = (count: number): string | undefined => {
      for (let i = 0; i < count; i++)
        usage.add({ ...ASKER, name: `:2.${i}`, unit: '' }, { bytes: 50n, buffers: 1 });
      return quotaRefusal(ASKER, { bytes: 7n, buffers: 1 }, [limit({})], usage);
    };
    const three = hold(3);
    expect(three).toMatch(naming(':2.0', ':2.1', ':2.2', 50));
    expect(hold(4)).not.toContain(':2.3');
    expect(hold(9)).toMatch(naming(':2.0', ':2.1', ':2.2', 6));
  });

  it('names no more than a few holders', () => {
    const usage = new Usage();
    for (let i = 10; i < 20; i++) usage.add({ ...ASKER, name: `:1.${i}` }, { bytes: BigInt(i), buffers: 1 });
    const text = quotaRefusal(ASKER, { bytes: 1n, buffers: 1 }, [limit({})], usage);
    expect(text).toMatch(naming(':1.19', 'app-player.scope', 19, 7));
    expect(text).not.toContain(':1.10 ');
  });
});
