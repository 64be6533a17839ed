import { openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { dmaBufCalls } from '../../../daemon/kernel/dma-buf.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { OwnedFd } from '../../../dbus/owned-fd.js';
import { openFds } from '../../harness/leaks.js';

describe('a page that a pipe pins', () => {
  // A memfd's pages can be pinned on every kernel, so that the attack is seen to be one.
  it('shows what is written after its mapping is gone', async () => {
    const before = openFds().size;
    {
      using memfd = await memoryCalls.createMemfd('pinned', 8192n);
      expect(dmaBufCalls.pinFirstPage(memfd.number, 'shared')).toBe('kept');
      // What was only read through a private mapping is the file's own page.
      expect(dmaBufCalls.pinFirstPage(memfd.number, 'private')).toBe('kept');
    }
    expect(openFds().size).toBe(before);
  });

  it.each(['shared', 'private'] as const)('is an error where nothing can be mapped (%s)', (sharing) => {
    const before = openFds().size;
    {
      using file = new OwnedFd(openSync('/dev/null', 'r+'));
      expect(() => dmaBufCalls.pinFirstPage(file.number, sharing)).toThrow(
        expect.objectContaining({ code: 'ENODEV', call: 'mmap' }),
      );
    }
    expect(openFds().size).toBe(before);
  });
});
