import { openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { OwnedFd } from '../../../dbus/owned-fd.js';
import { Closer } from '../../../daemon/pools/closer.js';
import { buffersOpen, FakeHeap, PAGE } from '../fake-heap.js';

describe('Closer', () => {
  it('takes a descriptor at once, and closes it soon', async () => {
    const closer = new Closer();
    const fd = await new FakeHeap('a').allocate(PAGE);
    closer.close(fd);
    expect(fd.open).toBe(false);
    expect(closer.busy).toBe(true);
    await closer.settled();
    expect(closer.busy).toBe(false);
    expect(buffersOpen()).toEqual([]);
  });

  it('waits for all that is closing', async () => {
    const closer = new Closer();
    for (let i = 0; i < 20; i += 1) closer.close(new OwnedFd(openSync('/dev/null', 'r')));
    await closer.settled();
    expect(closer.busy).toBe(false);
  });

  it('is not stopped by a descriptor that cannot be closed', async () => {
    const closer = new Closer();
    closer.close(new OwnedFd(0x7fff_fff0));
    await closer.settled();
    expect(closer.busy).toBe(false);
  });
});
