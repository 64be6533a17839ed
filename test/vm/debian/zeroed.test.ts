import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Window } from '../../../client/memory/window.js';
import { withSync } from '../../../client/memory/sync.js';
import { startDaemon } from '../rig/daemon.js';

const REUSES = 1000;
const SIZE = 64 * 1024;
const DIRT = 0xa5;
const ZEROES = Buffer.alloc(SIZE);
const CPU = [{ device: 'cpu', uses: ['read', 'write'] }] as const;

describe('the daemon', () => {
  it(`never shows one client what another left, over ${REUSES} reuses`, async (test) => {
    await using daemon = await startDaemon();
    const clients = [await daemon.open(), await daemon.open()];
    const window = new Window(SIZE);
    for (let round = 0; round < REUSES; round++) {
      const client = clients[round % clients.length];
      assert(client !== undefined);
      const allocation = await client.allocate(CPU, { size: SIZE });
      const [buffer] = allocation.buffers;
      assert(buffer !== undefined);
      const bytes = await window.open(buffer.fd.number);
      await withSync(buffer.fd.number, { read: true, write: true }, () => {
        if (!ZEROES.equals(bytes)) {
          const stain = bytes.findIndex((byte) => byte !== 0);
          assert.fail(`round ${round}: byte ${stain} is ${bytes[stain]}`);
        }
        bytes.fill(DIRT);
        return Promise.resolve();
      });
      await window.close();
      await allocation.release();
    }
    const pools = await daemon.broker.pools();
    const hits = pools.reduce((sum, pool) => sum + pool.hits, 0n);
    test.diagnostic(`${hits} of ${REUSES} came from what lies ready`);
    assert(hits > REUSES / 2, `only ${hits} came from what lies ready`);
    for (const client of clients) await client.close();
  });
});
