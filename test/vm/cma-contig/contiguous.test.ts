import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { DmabrokerError } from '../../../client/index.js';
import { KernelError } from '../../../daemon/kernel/errors.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { Camera } from '../rig/camera.js';
import { camera } from '../rig/cards.js';
import { cmaTaken } from '../rig/cma.js';
import { nothingLives, startDaemon, type RunningDaemon } from '../rig/daemon.js';
import { localPolicy } from '../rig/local-policy.js';

const IMAGE = { width: 1280, height: 720, format: 'XR24' } as const;
const MIB = 1n << 20n;

/** Hands a camera one buffer, as a program does that streams. */
async function queue(node: string, dmaBuf: number, layout: { readonly pitch: number }): Promise<void> {
  const { width, height, format } = IMAGE;
  const driver = new Camera(node);
  try {
    await driver.setFormat({ fourcc: format, width, height, bytesPerLine: layout.pitch });
    await driver.queueAll([dmaBuf]);
  } finally {
    await driver[Symbol.asyncDispose]();
  }
}

describe('vivid on dma-contig, which takes nothing but contiguous memory', () => {
  let daemon: RunningDaemon;
  let policy: Disposable;
  const node = camera('vivid');

  before(async () => {
    policy = localPolicy(
      '[Pool contiguous]\nLimit=100% of heap\nWarm=0\n[Quota]\nBytes=1T\nClientBytes=1T\n',
    );
    daemon = await startDaemon();
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    policy[Symbol.dispose]();
  });

  it('gets from the broker what it takes, and the CMA region gives exactly its size', async () => {
    const before = cmaTaken();
    await using allocation = await daemon.broker.allocate(
      [{ device: node, uses: ['capture'], contiguous: true }],
      IMAGE,
    );
    const [buffer] = allocation.buffers;
    assert(buffer !== undefined);
    const pages = (allocation.layout.size + 4095n) / 4096n;
    assert.equal(cmaTaken() - before, pages * 4096n);
    const [plane] = allocation.layout.planes;
    assert(plane !== undefined);
    await queue(node, buffer.fd.number, plane);
    await allocation.release();
    await nothingLives(daemon.broker);
    assert.equal(cmaTaken(), before);
  });

  it('gets it without asking, because the trial showed what it refuses', async () => {
    await using allocation = await daemon.broker.allocate([{ device: node, uses: ['capture'] }], IMAGE);
    const pools = await daemon.broker.pools();
    assert.equal(pools.find(({ handle }) => handle === allocation.layout.pool)?.class, 'contiguous');
  });

  it('refuses a scattered buffer', async () => {
    using heap = memoryCalls.openNode('/dev/dma_heap/system');
    // Of chunks of several sizes, which come from different lists of free memory and do not lie in a row.
    using buffer = await memoryCalls.allocateDmaHeap(heap.number, 4n * MIB + 17n * 4096n);
    await assert.rejects(queue(node, buffer.number, { pitch: IMAGE.width * 4 }), (error) => {
      assert(error instanceof KernelError);
      assert.equal(`${error.call}:${error.code}`, 'VIDIOC_QBUF:EFAULT');
      return true;
    });
  });

  it('is refused when the memory is full, and served again after a release', async () => {
    const ask = () =>
      daemon.broker.allocate([{ device: node, contiguous: true }], { size: 16n * MIB, label: 'filler' });
    const held = [];
    let refusal: unknown;
    while (refusal === undefined)
      try {
        held.push(await ask());
      } catch (error) {
        refusal = error;
      }
    assert(refusal instanceof DmabrokerError);
    assert.equal(refusal.code, 'PoolExhausted');
    assert(held.length >= 5, `only ${held.length} of 16 MiB in 128 MiB`);
    await held.pop()?.release();
    await (await ask()).release();
    for (const allocation of held) await allocation.release();
    await nothingLives(daemon.broker);
  });
});
