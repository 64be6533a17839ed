import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { onlyHeaps } from '../rig/heap-nodes.js';
import { showFrames } from '../rig/show-frames.js';

describe('from vivid to vkms, as nobody', () => {
  it('shows what was captured, with all heaps', async () => {
    const { memory } = await showFrames();
    assert.equal(memory, 'scattered');
  });

  it('shows what was captured, with udmabuf alone', async () => {
    using _ = onlyHeaps((node) => node === '/dev/udmabuf');
    const { memory, refusals } = await showFrames();
    assert.equal(memory, 'scattered');
    assert.deepEqual(refusals, [{ node: '/dev/udmabuf', code: 'EACCES' }]);
  });
});
