import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { it } from 'node:test';

import { DmabrokerError } from '../../../client/index.js';
import { camera } from '../rig/cards.js';
import { startDaemon } from '../rig/daemon.js';

it('refuses contiguous memory with the constraints that clash, where no heap has any', async () => {
  assert.deepEqual(readdirSync('/dev/dma_heap'), ['system']);
  await using daemon = await startDaemon();
  const node = camera('vivid');
  const asked = daemon.broker.allocate([{ device: node, uses: ['capture'], contiguous: true }], {
    width: 640,
    height: 360,
    format: 'XR24',
  });
  await assert.rejects(asked, (error) => {
    assert(error instanceof DmabrokerError);
    assert.equal(error.code, 'Conflict');
    const [need] = error.conflict.filter(
      ({ constraint, value }) => constraint === 'contiguous' && value === true,
    );
    assert.deepEqual([need?.device, need?.source], [node, 'client']);
    return true;
  });
});
