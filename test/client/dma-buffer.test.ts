import { readSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { DmaBuffer } from '../../client/dma-buffer.js';
import type { Layout } from '../../client/model.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import { expectNoNewFds, openFds } from '../harness/leaks.js';
import { mappingsOf, memfd } from './memory/memfd.js';

const SIZE = 70_000;
const LAYOUT: Layout = { size: BigInt(SIZE), count: 1, pool: 'p', cpuAccess: 'cached' };

describe('DmaBuffer.map, of memory that no device shares', () => {
  let before: ReadonlyMap<number, string>;
  let fd: OwnedFd;
  let buffer: DmaBuffer;
  beforeEach(() => {
    before = openFds();
    fd = memfd('mapped', SIZE);
    buffer = new DmaBuffer(fd, LAYOUT);
  });
  afterEach(async () => {
    fd.close();
    expect(mappingsOf('mapped')).toBe(0);
    await expectNoNewFds(before);
  });

  it('writes and reads, and takes the bytes back', async () => {
    let kept: Uint8Array | undefined;
    await buffer.map({ write: true }, (bytes) => {
      kept = bytes.fill(3);
    });
    expect(kept).toHaveLength(0);
    expect(await buffer.map({ read: true }, (bytes) => [bytes.length, bytes[0], bytes[SIZE - 1]])).toEqual([
      SIZE,
      3,
      3,
    ]);
  });

  it('lends the bytes of every descriptor, and takes all of them back', async () => {
    using other = memfd('mapped', 4096);
    const image = { format: 'NV12', modifier: 0n, width: 1, height: 1, planes: [] };
    const fdSizes = [BigInt(SIZE), 4096n];
    const both = new DmaBuffer(fd, { ...LAYOUT, ...image, planeFds: [0, 1], fdSizes }, [other]);
    const kept: Uint8Array[] = [];
    const lengths = await both.map({ write: true }, (luma, ...chroma) => {
      kept.push(luma, ...chroma);
      return kept.map((bytes) => bytes.fill(1).length);
    });
    expect(lengths).toEqual([SIZE, 4096]);
    expect(kept.map(({ length }) => length)).toEqual([0, 0]);
    expect(both.fds).toEqual([fd, other]);
  });

  it('keeps the bytes until an asynchronous use has settled', async () => {
    const first = await buffer.map({ read: true, write: true }, async (bytes) => {
      await new Promise(setImmediate);
      bytes[0] = 9;
      return bytes[0];
    });
    expect(first).toBe(9);
  });

  it('takes the bytes back when the use throws', async () => {
    let kept: Uint8Array | undefined;
    const use = buffer.map({ read: true }, (bytes) => {
      kept = bytes;
      throw new RangeError('mine');
    });
    await expect(use).rejects.toThrow('mine');
    expect(kept).toHaveLength(0);
  });

  it('keeps its file though the buffer is closed meanwhile', async () => {
    await buffer.map({ write: true }, (bytes) => {
      buffer.fd.close();
      bytes.fill(1);
    });
    await expect(buffer.map({ read: true }, () => 0)).rejects.toMatchObject({ code: 'NotMappable' });
  });

  it('keeps its file though the buffer is closed before it is mapped', async () => {
    const length = buffer.map({ read: true }, (bytes) => bytes.length);
    buffer.fd.close();
    expect(await length).toBe(SIZE);
  });

  it('maps twice at the same time, of the same bytes', async () => {
    // A first use leaves address space behind, which only one of the two may have.
    await buffer.map({ read: true }, () => 0);
    await buffer.map({ write: true }, async (one) => {
      await buffer.map({ read: true }, (other) => {
        one[5] = 42;
        expect(other[5]).toBe(42);
      });
      expect(one).toHaveLength(SIZE);
      one[6] = 43;
    });
    const bytes = Buffer.alloc(2);
    readSync(fd.number, bytes, 0, 2, 5);
    expect(bytes).toEqual(Buffer.from([42, 43]));
  });

  it('refuses memory that no CPU reaches', async () => {
    const hidden = new DmaBuffer(fd, { ...LAYOUT, cpuAccess: 'none' });
    await expect(hidden.map({ read: true }, () => 0)).rejects.toMatchObject({ code: 'NotMappable' });
  });
});
