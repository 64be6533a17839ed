import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import type { Allocation, Broker, ImageLayout } from '../../../client/index.js';
import { Camera } from './camera.js';
import { Display, type Picture, type Size } from './kms.js';
import { firstDifference } from './pixels.js';

export interface PipelineOptions {
  /** Nodes. */
  readonly camera: string;
  readonly card: string;
  readonly frames: number;
  /** One that the camera captures and the display has a mode for. */
  readonly size: Size;
  /** Is lent what the display had of the last frame. */
  readonly last?: (picture: Picture) => void;
}

export interface PipelineResult {
  readonly layout: ImageLayout;
  /** Class of the memory. */
  readonly memory: string;
  readonly frames: number;
  /** How many of the frames were unlike all others. */
  readonly distinct: number;
}

/** Buffers that the camera fills while one is on the display. */
const BUFFERS = 4;

/**
 * From camera to display: buffers for both from the broker, the camera captures into them, the display shows them, and
 * what it reads back is what was captured. Nothing is copied on the way, and nobody is told where the memory comes from.
 * @throws {AssertionError} for a pixel that is not the one that was captured
 */
export async function runPipeline(broker: Broker, options: PipelineOptions): Promise<PipelineResult> {
  const { size, frames } = options;
  await using allocation = await broker.allocate(
    [
      { device: options.camera, uses: ['capture'] },
      { device: options.card, uses: ['scanout'] },
    ],
    { ...size, format: 'XR24', count: BUFFERS, label: 'pipeline' },
  );
  const { layout } = allocation;
  await using display = await Display.open(options.card, size);
  const framebuffers = await Promise.all(allocation.buffers.map(({ fd }) => display.add(fd.number, layout)));
  await using camera = await captureInto(allocation, options.camera);
  const seen = new Set<string>();
  for (let frame = 0; frame < frames; frame++) {
    const { index } = await camera.next();
    const framebuffer = framebuffers[index];
    const buffer = allocation.buffers[index];
    assert(framebuffer !== undefined && buffer !== undefined);
    await buffer.map({ read: true }, (captured) => {
      seen.add(createHash('sha1').update(captured).digest('hex'));
      return display.show(framebuffer, size, (picture) => {
        compare(frame, captured, layout, picture);
        if (frame === frames - 1) options.last?.(picture);
      });
    });
    await camera.queue(index);
  }
  const pools = await broker.pools();
  const memory = pools.find(({ handle }) => handle === layout.pool)?.class ?? '';
  return { layout, memory, frames, distinct: seen.size };
}

async function captureInto({ buffers, layout }: Allocation<ImageLayout>, path: string): Promise<Camera> {
  const camera = new Camera(path);
  const { format, width, height, planes } = layout;
  await camera.setFormat({ fourcc: format, width, height, bytesPerLine: planes[0]?.pitch ?? 0 });
  await camera.queueAll(buffers.map(({ fd }) => fd.number));
  await camera.start();
  return camera;
}

function compare(frame: number, captured: Uint8Array, layout: ImageLayout, { pixels, pitch }: Picture): void {
  const image = { bytes: captured, pitch: layout.planes[0]?.pitch ?? 0 };
  const shown = { bytes: pixels, pitch };
  const place = firstDifference(image, shown, layout.width, layout.height);
  assert.equal(
    place,
    undefined,
    `frame ${frame} as shown differs from what was captured at ${JSON.stringify(place)}`,
  );
}
