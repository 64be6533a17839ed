import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { dmaBufCalls, clearMapped } from '../../../daemon/kernel/dma-buf.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { OwnedFd } from '../../../dbus/owned-fd.js';
import { openFds } from '../../harness/leaks.js';

const PAGE = 4096;
const mappings = (): number => readFileSync('/proc/self/maps', 'latin1').split('dirty-file').length - 1;

describe('clearing memory', () => {
  let directory: string;
  let file: string;
  let before: ReadonlyMap<number, string>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'clear-'));
    file = join(directory, 'dirty-file');
    writeFileSync(file, Buffer.alloc(3 * PAGE, 0xaa));
    before = openFds();
  });

  afterEach(async () => {
    expect([...openFds()]).toEqual([...before]);
    expect(mappings()).toBe(0);
    await rm(directory, { recursive: true });
  });

  const openFile = (): OwnedFd => new OwnedFd(openSync(file, 'r+'));

  it('writes zeroes over as much as it is told, and no further', async () => {
    using dirty = openFile();
    using zeroes = memoryCalls.openNode('/dev/zero');
    await clearMapped(dirty.number, BigInt(2 * PAGE), zeroes);
    const bytes = readFileSync(file);
    expect(bytes.subarray(0, 2 * PAGE).every((byte) => byte === 0)).toBe(true);
    expect(bytes.subarray(2 * PAGE).every((byte) => byte === 0xaa)).toBe(true);
  });

  it('fails, and does not end the process, where the memory is gone', async () => {
    using dirty = openFile();
    using zeroes = memoryCalls.openNode('/dev/zero');
    await expect(clearMapped(dirty.number, BigInt(8 * PAGE), zeroes)).rejects.toMatchObject({
      name: 'KernelError',
      code: 'EFAULT',
      call: 'read',
    });
  });

  it('fails when there is nothing to map', async () => {
    using zeroes = memoryCalls.openNode('/dev/zero');
    await expect(clearMapped(-1, BigInt(PAGE), zeroes)).rejects.toMatchObject({
      code: 'EBADF',
      call: 'mmap',
    });
  });

  it('ends when its source of zeroes does', async () => {
    using dirty = openFile();
    using nothing = memoryCalls.openNode('/dev/null');
    await expect(clearMapped(dirty.number, BigInt(PAGE), nothing)).rejects.toMatchObject({ code: 'EIO' });
  });

  it('leaves what is no dma-buf as it is', async () => {
    const fd = openSync(file, 'r+');
    try {
      await expect(dmaBufCalls.clear(fd)).rejects.toMatchObject({
        code: 'ENOTTY',
        call: 'DMA_BUF_IOCTL_SYNC',
      });
      const bytes = Buffer.alloc(PAGE);
      readSync(fd, bytes, 0, PAGE, 0);
      expect(bytes.every((byte) => byte === 0xaa)).toBe(true);
    } finally {
      closeSync(fd);
    }
  });
});
