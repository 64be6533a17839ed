import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { onlyHeaps } from '../rig/heap-nodes.js';
import { localPolicy } from '../rig/local-policy.js';
import { showFrames } from '../rig/show-frames.js';

describe('from vivid to vkms, as nobody', () => {
  it('shows what was captured, with the CMA heap alone', async () => {
    using _ = onlyHeaps((node) => node === '/dev/dma_heap/reserved');
    // A display's own memory would do as well, and comes before what is scarce.
    using _policy = localPolicy('[Heap kind=drm-dumb]\nUse=no\n');
    const { memory, refusals } = await showFrames();
    assert.equal(memory, 'contiguous');
    assert.deepEqual(refusals, [{ node: '/dev/dma_heap/reserved', code: 'EACCES' }]);
  });
});
