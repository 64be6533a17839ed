import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, it, type TestContext } from 'node:test';

import type { DeviceInfo, ImageLayout } from '../../../client/index.js';
import { LINEAR } from '../../../daemon/constraints/constraint-types.js';
import { findV4l2Format } from '../../../daemon/devices/v4l2-formats.js';
import { drmCalls } from '../../../daemon/kernel/drm-calls.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { v4l2Calls } from '../../../daemon/kernel/v4l2-calls.js';
import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { randomFrom } from '../../harness/random.js';
import { Camera } from '../rig/camera.js';
import { camera, card } from '../rig/cards.js';
import { nothingLives, startDaemon, type RunningDaemon } from '../rig/daemon.js';
import { addFramebuffer } from '../rig/framebuffer.js';
import type { Size } from '../rig/kms.js';
import { localPolicy } from '../rig/local-policy.js';
import { drawSizes, extremes, groupsOf } from '../rig/sizes.js';
import { INPUT, videoInput } from '../rig/video-input.js';

/** Sizes of each format. */
const SIZES = 50;
const SEED = randomInt(2 ** 31);
const MIB = 2 ** 20;
/** Bytes of the images that are asked for at once. */
const ROOM = 512 * MIB;
/** Room for the largest image there is; and nothing kept ready, so that each buffer is as it comes from the heap. */
const POLICY = [
  ...['[Broker]', 'MaxBuffer=1G', '[Pool scattered]', 'Limit=1G', 'Warm=0'],
  ...['[Quota]', 'Bytes=1T', 'ClientBytes=1T', 'Rate=100000', 'Burst=100000', ''],
].join('\n');

let daemon: RunningDaemon;
const things: Disposable[] = [];

before(async () => {
  things.push(localPolicy(POLICY), videoInput(camera('vivid'), INPUT.hdmi));
  daemon = await startDaemon();
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  for (const thing of things) thing[Symbol.dispose]();
});

async function deviceAt(node: string): Promise<DeviceInfo> {
  const device = (await daemon.broker.devices()).find((known) => known.node === node);
  assert(device !== undefined);
  return device;
}

interface Request {
  readonly device: string;
  readonly use: 'scanout' | 'capture';
  readonly format: string;
  /** Bytes of a pixel, at most. */
  readonly pixel: number;
}

/**
 * Allocates one buffer for each size and lends them in turn. The broker takes them back as their owner leaves the bus,
 * which costs less than as many calls.
 */
async function withBuffers(
  { device, use, format, pixel }: Request,
  sizes: readonly Size[],
  take: (dmaBuf: number, layout: ImageLayout) => Promise<void>,
): Promise<void> {
  for (const group of groupsOf(sizes, ({ width, height }) => width * height * pixel, ROOM)) {
    const client = await daemon.open();
    const about = ({ width, height }: Size): string => `${format} ${width}×${height} (seed ${SEED})`;
    const allocations = await Promise.all(
      group.map((size) =>
        client.allocate([{ device, uses: [use] }], { ...size, format }).catch((cause: unknown) => {
          throw new Error(`the broker has no ${about(size)}: ${String(cause)}`, { cause });
        }),
      ),
    );
    for (const { layout, buffers } of allocations) {
      for (const { fd } of buffers)
        await take(fd.number, layout).catch((cause: unknown) => {
          throw new Error(`the driver does not take ${about(layout)}: ${String(cause)}`, { cause });
        });
      closeAll(buffers.map(({ fd }) => fd));
    }
    await client.close();
    await nothingLives(daemon.broker);
  }
}

describe('vkms takes every layout', () => {
  const node = card('vkms');

  it(`${SIZES} sizes of each format that it lists`, async (test) => {
    const { formats } = await deviceAt(node);
    assert(formats.length >= 5, `vkms lists ${formats.length} formats`);
    using opened = memoryCalls.openNode(node);
    const { minWidth, minHeight, maxWidth, maxHeight } = drmCalls.resources(opened.number);
    const range = {
      min: { width: minWidth, height: minHeight },
      max: { width: maxWidth, height: maxHeight },
      // 8192 × 8192 pixels of 64 bits are the largest.
      ...{ bytes: ROOM, pixel: 8 },
    };
    assert.equal(extremes(range).length, 4);
    const random = randomFrom(SEED);
    for (const { format } of formats)
      await withBuffers(
        { device: node, use: 'scanout', format, pixel: range.pixel },
        drawSizes(range, SIZES, random),
        (dmaBuf, layout) => show(opened, dmaBuf, layout),
      );
    report(test, formats.length);
  });

  async function show(opened: OwnedFd, dmaBuf: number, layout: ImageLayout): Promise<void> {
    const framebuffer = await addFramebuffer(opened.number, dmaBuf, layout);
    await drmCalls.removeFramebuffer(opened.number, framebuffer);
  }
});

describe('vivid takes every layout', () => {
  const node = camera('vivid');
  const max = { width: 2 ** 16, height: 2 ** 16 };
  /** Bytes of a pixel of the largest formats. */
  const PIXEL = 4;

  it(`${SIZES} sizes of each format that it lists and DRM knows`, async (test) => {
    const shared = sharedFormats(node);
    const listed = (await deviceAt(node)).formats.map(({ format }) => format);
    assert.deepEqual(new Set(shared.map(({ drm }) => drm)), new Set(listed));
    await using driver = new Camera(node);
    const largest = await driver.tryFormat({ fourcc: 'XR24', ...max });
    const smallest = await driver.tryFormat({ fourcc: 'XR24', width: 1, height: 1 });
    assert(largest.width > smallest.width, 'the input does not scale');
    // Few are large, because every byte is cleared: the largest of all comes once, below.
    const range = { min: smallest, max: largest, bytes: 16 * MIB, pixel: PIXEL };
    const random = randomFrom(SEED);
    for (const { v4l2, drm } of shared) await capture(driver, v4l2, drm, drawSizes(range, SIZES, random));
    report(test, shared.length);
  });

  it('the largest image that it has', async () => {
    await using driver = new Camera(node);
    await capture(driver, 'XR24', 'XR24', [max]);
  });

  /** @param sizes what the driver makes of them is asked of the broker, as programs do: it halves some heights */
  async function capture(
    driver: Camera,
    fourcc: string,
    format: string,
    sizes: readonly Size[],
  ): Promise<void> {
    const tried = await Promise.all(sizes.map((size) => driver.tryFormat({ fourcc, ...size })));
    const images = tried.map(({ width, height }) => ({ width, height }));
    const request = { device: node, use: 'capture', format, pixel: PIXEL } as const;
    await withBuffers(request, images, async (dmaBuf, { width, height, planes, size }) => {
      const image = await driver.setFormat({ fourcc, width, height, bytesPerLine: planes[0]?.pitch ?? 0 });
      const needed = image.planes[0]?.size ?? 0;
      assert(BigInt(needed) <= size, `the driver writes ${needed} bytes into ${size}`);
      await driver.queueAll([dmaBuf]);
      await driver.release();
    });
  }
});

/** V4L2's formats of a node that one buffer of ours can hold, with DRM's names for them. */
function sharedFormats(path: string): readonly { readonly v4l2: string; readonly drm: string }[] {
  using node = memoryCalls.openNode(path);
  return v4l2Calls.formats(node.number, 'capture').flatMap(({ fourcc }) => {
    const shared = findV4l2Format(fourcc);
    const fits = shared?.buffers === 1 && shared.modifier === LINEAR;
    return fits ? [{ v4l2: fourcc, drm: shared.drm.trimEnd() }] : [];
  });
}

function report(test: TestContext, formats: number): void {
  test.diagnostic(`seed ${SEED}: ${formats} formats, ${formats * SIZES} images`);
}
