import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ProbeBuffers } from '../../../../daemon/devices/probes/probe-buffers.js';
import { tryOnV4l2 } from '../../../../daemon/devices/probes/v4l2-import-probe.js';
import { V4L2_CAP, type V4l2Image } from '../../../../daemon/kernel/v4l2.js';
import { FakeKernel, inodeOf, type FakeVideo } from '../../../tools/fake-drivers.js';
import { SysfsTree } from '../../../tools/sysfs-tree.js';
import { buffersOpen, FakeHeap } from '../../fake-heap.js';
import { naming } from '../../../harness/naming.js';

const raw = (fourcc: string) => [{ fourcc, description: '', compressed: false }];
const image = (fourcc: string, ...sizes: readonly number[]): V4l2Image => ({
  fourcc,
  width: 640,
  height: 480,
  planes: sizes.map((size) => ({ bytesPerLine: 1280, size })),
});
const CAMERA: FakeVideo = {
  driver: 'vivid',
  card: 'vivid',
  capabilities: V4L2_CAP.VIDEO_CAPTURE,
  queues: { capture: raw('YUYV') },
  set: { capture: image('YUYV', 614_400) },
};
const CONVERTER: FakeVideo = {
  driver: 'vim2m',
  card: 'vim2m',
  capabilities: V4L2_CAP.VIDEO_M2M_MPLANE,
  queues: { 'output-mplane': raw('NM12'), 'capture-mplane': raw('NV12') },
  set: { 'output-mplane': image('NM12', 307_200, 153_600), 'capture-mplane': image('NV12', 460_800) },
};

let tree: SysfsTree;
let heaps: readonly [FakeHeap, FakeHeap];
let kernel: FakeKernel;
beforeEach(() => {
  tree = new SysfsTree();
  mkdirSync(join(tree.root, 'dev'), { recursive: true });
  writeFileSync(join(tree.root, 'dev/video0'), '');
  heaps = [new FakeHeap('a'), new FakeHeap('b')];
});
afterEach(() => {
  tree[Symbol.dispose]();
  expect(buffersOpen()).toEqual([]);
});

/** What is learned of both heaps, after which the node holds nothing. */
async function learn(video: FakeVideo) {
  kernel = new FakeKernel({ video: { video0: video } });
  const { memory, v4l2 } = kernel;
  using buffers = new ProbeBuffers();
  const node = memory.openNode(join(tree.root, 'dev/video0'));
  try {
    return await tryOnV4l2(v4l2, node.number, heaps, buffers);
  } finally {
    node.close();
    expect(kernel.left).toEqual([]);
  }
}

/** The heap that a buffer is of, told by the order in which they are queued. */
const inTurn = <T>(...answers: readonly T[]): (() => T | undefined) => {
  let call = 0;
  return () => answers[call++];
};

describe('tryOnV4l2', () => {
  it('queues a buffer of each heap, and takes it back before the next', async () => {
    expect([...(await learn({ ...CAMERA, takes: inTurn(undefined, 'EFAULT') }))]).toEqual([
      ['a', { results: [{ reachable: true, source: 'trial:QBUF' }] }],
      ['b', { results: [{ reachable: false, source: 'trial:QBUF:EFAULT' }] }],
    ]);
    expect(kernel.calls.filter((call) => call.includes('BUF'))).toEqual([
      ...['video0 REQBUFS capture 1', 'video0 QBUF capture', 'video0 REQBUFS capture 0'],
      ...['video0 REQBUFS capture 1', 'video0 QBUF capture', 'video0 REQBUFS capture 0'],
    ]);
  });

  it('queues a buffer for each plane of an image that wants them, of one buffer', async () => {
    const seen: number[] = [];
    await learn({
      ...CONVERTER,
      takes: (queue, planes) => {
        if (queue === 'output-mplane') seen.push(new Set(planes.map(({ dmaBuf }) => inodeOf(dmaBuf))).size);
        for (const { length = 0, bytesUsed = 0 } of planes) expect(bytesUsed).toBeLessThanOrEqual(length);
        return undefined;
      },
    });
    expect(seen).toEqual([1, 1]);
  });

  it('tries both queues of a converter, and says for which use it was refused', async () => {
    const learned = await learn({
      ...CONVERTER,
      takes: (queue) => (queue === 'output-mplane' ? 'EFAULT' : undefined),
    });
    expect(learned.get('a')).toEqual({
      results: [
        { reachable: true, source: 'trial:QBUF' },
        { reachable: false, source: 'trial:QBUF:EFAULT', uses: ['output'] },
      ],
    });
  });

  it('takes a queue without dma-bufs for one that refuses them all', async () => {
    const learned = await learn({ ...CAMERA, places: () => 'EINVAL' });
    expect(learned.get('b')).toEqual({
      results: [{ reachable: false, source: 'trial:REQBUFS:EINVAL' }],
    });
  });

  it('leaves a queue alone that somebody else has', async () => {
    const learned = await learn({ ...CAMERA, places: () => 'EBUSY' });
    expect(learned.get('a')).toEqual({
      results: [],
      inconclusive: expect.stringMatching(naming('REQBUFS', 'EBUSY')) as string,
    });
    expect(kernel.calls.filter((call) => /REQBUFS|QBUF/.test(call))).toEqual([
      'video0 REQBUFS capture 1',
      'video0 REQBUFS capture 1',
    ]);
  });

  it('leaves open what a queue without a place takes, and gives it back', async () => {
    const learned = await learn({ ...CAMERA, places: () => 0 });
    expect(learned.get('a')).toMatchObject({
      results: [],
      inconclusive: expect.not.stringMatching(/\bE[A-Z]{3,}\b/) as string,
    });
  });

  it('leaves open what a decoder takes that has no stream yet', async () => {
    const learned = await learn({ ...CAMERA, set: { capture: 'EINVAL' } });
    expect(learned.get('a')).toEqual({
      results: [],
      inconclusive: expect.stringMatching(naming('G_FMT', 'EINVAL')) as string,
    });
  });

  it.each([image('NV12'), image('NV12', 0)])(
    'leaves open what a queue takes that is set to nothing',
    async (none) => {
      const learned = await learn({ ...CONVERTER, set: { 'output-mplane': none, 'capture-mplane': none } });
      expect(learned.get('a')).toMatchObject({ results: [] });
      expect(kernel.calls.filter((call) => call.includes('REQBUFS'))).toEqual([]);
    },
  );

  it('makes a larger buffer for a larger image, and leaves open what is too large', async () => {
    const large = await learn({ ...CAMERA, set: { capture: image('YUYV', 16_588_800) } });
    expect(large.get('b')).toEqual({ results: [{ reachable: true, source: 'trial:QBUF' }] });
    const absurd = await learn({ ...CAMERA, set: { capture: image('YUYV', 2 ** 31) } });
    expect(absurd.get('b')).toMatchObject({ results: [] });
  });

  it('leaves open what a heap takes that has no buffer to give', async () => {
    heaps[0].faults = ['ENOMEM', 'ENOMEM'];
    const learned = await learn(CAMERA);
    expect(learned.get('a')).toEqual({
      results: [],
      inconclusive: expect.stringMatching(naming('FAKE_ALLOC', 'ENOMEM')) as string,
    });
    expect(learned.get('b')).toEqual({ results: [{ reachable: true, source: 'trial:QBUF' }] });
  });

  it('knows nothing of a node without images', async () => {
    const learned = await learn({ ...CAMERA, capabilities: V4L2_CAP.META_CAPTURE, queues: {} });
    expect(learned.get('a')).toEqual({ results: [] });
  });
});
