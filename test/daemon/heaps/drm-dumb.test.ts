import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { DrmDumbHeap } from '../../../daemon/heaps/drm-dumb.js';
import { gemObjectLives } from '../../../daemon/heaps/gem-object.js';
import { FakeKernel, type Errno } from '../../tools/fake-drivers.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';

const CARD = '/dev/dri/card0';
const SIZE = 16_384n;

describe('a dumb buffer whose descriptor is closed', () => {
  let tree: SysfsTree;
  let kernel: FakeKernel;
  let heap: DrmDumbHeap;
  const path = (): string => tree.root + CARD;
  beforeEach(() => {
    tree = new SysfsTree();
    tree.files({ [CARD]: '' });
    kernel = new FakeKernel({
      drm: { card0: { name: 'bochs', dumbPitch: (width, bits) => (width * bits) / 8 } },
    });
    const { drm, memory, dmaBuf } = kernel;
    heap = new DrmDumbHeap('drm-dumb', path(), {
      ...{ drm, memory },
      dmaBuf: { ...dmaBuf, clear: () => Promise.resolve() },
    });
  });
  afterEach(() => {
    expect(kernel.opened.filter(({ open }) => open)).toEqual([]);
    tree[Symbol.dispose]();
  });

  it('is held until the last holder of its object is gone', async () => {
    const buffer = await heap.allocate(SIZE);
    {
      // A client imports the buffer on the card that made it, which gives it the object itself, and maps it.
      using client = kernel.drm.open(path());
      const handle = await kernel.drm.importDmaBuf(client.number, buffer.number);
      const mapping = kernel.memory.map(client.number, kernel.drm.mapDumb(client.number, handle), SIZE);
      const remains = await heap.follow(buffer.number, SIZE);
      buffer.close();
      expect(remains.held(true)).toBe(true);
      await kernel.drm.closeHandle(client.number, handle);
      expect(remains.held(true)).toBe(true);
      mapping[Symbol.dispose]();
      expect(remains.held(true)).toBe(false);
      expect(remains.held(true)).toBe(false);
    }
  });

  it('is made as the picture that it is for, or as bytes where the driver makes no such picture', async () => {
    const asked: string[] = [];
    const { drm, memory, dmaBuf } = kernel;
    const createDumb: typeof drm.createDumb = (node, width, height, bits) => {
      asked.push(`${width}x${height} ${bits}`);
      return drm.createDumb(node, width, height, bits);
    };
    const pictures = new DrmDumbHeap('drm-dumb', path(), {
      drm: { ...drm, createDumb },
      memory,
      dmaBuf: { ...dmaBuf, clear: () => Promise.resolve() },
    });
    const picture = { width: 1920, height: 1080, bitsPerPixel: 32 };
    for (const each of [picture, undefined]) (await pictures.allocate(8_294_400n, each)).close();
    expect(asked).toEqual(['1920x1080 32', '2048x1013 32']);
    asked.length = 0;
    kernel.fault = { at: kernel.calls.length + 1, errno: 'EINVAL' };
    (await pictures.allocate(4_147_200n, { ...picture, bitsPerPixel: 16 })).close();
    expect(asked).toEqual(['1920x1080 16', '1024x1013 32']);
  });

  it('is over when another object has its place', async () => {
    using first = await heap.allocate(SIZE);
    const remains = await heap.follow(first.number, SIZE);
    first.close();
    expect(remains.held(false)).toBeUndefined();
    kernel.reuseOffsets('card0');
    using _second = await heap.allocate(SIZE);
    expect([remains.held(true), remains.held(false)]).toEqual([false, false]);
  });

  it('is over when a larger object that somebody else made has its place', async () => {
    using buffer = await heap.allocate(SIZE);
    const remains = await heap.follow(buffer.number, SIZE);
    buffer.close();
    kernel.reuseOffsets('card0');
    using client = kernel.drm.open(path());
    const larger = await kernel.drm.createDumb(client.number, 1024, 64, 32);
    expect(larger.size).toBeGreaterThan(SIZE);
    expect(remains.held(true)).toBe(false);
  });

  it('cannot be followed where the kernel does not say where it is mapped', async () => {
    using buffer = await heap.allocate(SIZE);
    kernel.fault = { at: kernel.calls.length + 2, errno: 'EOPNOTSUPP' };
    const remains = await heap.follow(buffer.number, SIZE);
    expect(kernel.calls.at(-1)).toBe('card0 mapDumb');
    expect(remains.held(true)).toBeUndefined();
  });

  it.each<readonly [Errno, boolean | undefined]>([
    ['ENODEV', false],
    ['ENOENT', false],
    ['EMFILE', undefined],
    ['EACCES', undefined],
  ])('is judged by why its card cannot be opened (%s)', async (errno, expected) => {
    using buffer = await heap.allocate(SIZE);
    kernel.fault = { at: kernel.calls.length, errno };
    expect(gemObjectLives(path(), { offset: 1n, size: SIZE }, kernel)).toBe(expected);
    expect(buffer.open).toBe(true);
  });
});
