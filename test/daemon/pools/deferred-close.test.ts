import { openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { OwnedFd } from '../../../dbus/owned-fd.js';
import { DeferredClose } from '../../../daemon/pools/deferred-close.js';
import { buffersOpen, FakeHeap, PAGE } from '../fake-heap.js';

describe('Closer', () => {
  it('takes a descriptor at once, and closes it soon', async () => {
    const deferredClose = new DeferredClose();
    const fd = await new FakeHeap('a').allocate(PAGE);
    deferredClose.close(fd);
    expect(fd.open).toBe(false);
    expect(deferredClose.busy).toBe(true);
    await deferredClose.settled();
    expect(deferredClose.busy).toBe(false);
    expect(buffersOpen()).toEqual([]);
  });

  it('waits for all that is closing', async () => {
    const deferredClose = new DeferredClose();
    for (let i = 0; i < 20; i += 1) deferredClose.close(new OwnedFd(openSync('/dev/null', 'r')));
    await deferredClose.settled();
    expect(deferredClose.busy).toBe(false);
  });

  it('is not stopped by a descriptor that cannot be closed', async () => {
    const deferredClose = new DeferredClose();
    deferredClose.close(new OwnedFd(0x7fff_fff0));
    await deferredClose.settled();
    expect(deferredClose.busy).toBe(false);
  });
});
