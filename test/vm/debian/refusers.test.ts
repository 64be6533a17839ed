import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { DmabrokerError, type ImageLayout } from '../../../client/index.js';
import { drmCalls } from '../../../daemon/kernel/drm-calls.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { addFramebuffer } from '../rig/framebuffer.js';
import { cards } from '../rig/cards.js';
import { startDaemon, type RunningDaemon } from '../rig/daemon.js';

const IMAGE = { width: 640, height: 480, format: 'XR24' } as const;
/** What each refuser says to a foreign buffer (seen in QEMU; facts of the driver, not of the broker). */
const REFUSALS = new Map([
  ['bochs-drm', 'EINVAL'],
  ['virtio_gpu', 'ENODEV'],
]);

let daemon: RunningDaemon;
before(async () => {
  daemon = await startDaemon();
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
});

/** Does with a buffer what a compositor does. @throws {KernelError} */
async function show(node: string, dmaBuf: number, layout: ImageLayout): Promise<void> {
  using card = memoryCalls.openNode(node);
  const framebuffer = await addFramebuffer(card.number, dmaBuf, layout);
  await drmCalls.removeFramebuffer(card.number, framebuffer);
}

/** Allocates for scanout on all of the nodes, and has each of them show it; or gives back the refusal. */
async function allocateAndShow(nodes: readonly string[]): Promise<DmabrokerError | undefined> {
  const devices = nodes.map((device) => ({ device, uses: ['scanout'] as const }));
  try {
    await using allocation = await daemon.broker.allocate(devices, IMAGE);
    const [buffer] = allocation.buffers;
    assert(buffer !== undefined);
    for (const node of nodes) await show(node, buffer.fd.number, allocation.layout);
    return undefined;
  } catch (error) {
    if (error instanceof DmabrokerError) return error;
    throw error;
  }
}

describe('displays that refuse the buffers of others', () => {
  it('get buffers that they take, each by itself', async () => {
    for (const [driver, node] of cards())
      if (driver !== 'vgem') assert.equal(await allocateAndShow([node]), undefined, driver);
  });

  for (const [driver, errno] of REFUSALS)
    it(`${driver} and vkms get one that both take, or learn of the refusal`, async (test) => {
      const [refuser, vkms] = [cards().get(driver), cards().get('vkms')];
      assert(refuser !== undefined && vkms !== undefined);
      const refusal = await allocateAndShow([refuser, vkms]);
      if (refusal === undefined) {
        test.diagnostic('both show one buffer');
        return;
      }
      test.diagnostic(refusal.message);
      assert.equal(refusal.code, 'Conflict');
      for (const node of [refuser, vkms]) assert(refusal.message.includes(node), refusal.message);
      assert.match(refusal.message, new RegExp(`trial:\\w+:${errno}`));
    });

  it('never get a buffer that one of a pair then refuses', async () => {
    const nodes = [...cards()].filter(([driver]) => driver !== 'vgem').map(([, node]) => node);
    let shown = 0;
    for (const one of nodes)
      for (const other of nodes) {
        const refusal = await allocateAndShow([one, other]);
        if (refusal === undefined) shown += 1;
        else assert.equal(refusal.code, 'Conflict');
      }
    assert(shown >= nodes.length, `only ${shown} pairs could share a buffer`);
  });
});
