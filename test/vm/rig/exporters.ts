import { basename } from 'node:path';

import type { BufferRequest, DeviceRequest } from '../../../client/index.js';
import type { HeapKind } from '../../../daemon/devices/inventory.js';
import { SIZE } from './attack.js';
import { cards, exportsBuffers } from './cards.js';
import { heapNodes } from './heap-nodes.js';

const CPU: DeviceRequest = { device: 'cpu', uses: ['read', 'write'] };
const IMAGE: BufferRequest = { width: 128, height: 128, format: 'XR24' };

/** Something that memory comes from, and how it is had from the broker and from nowhere else. */
export interface Exporter {
  readonly name: string;
  /** A word of what the daemon keeps its probes under. */
  readonly key: string;
  /** Whether the node of a heap stays while it is tried. */
  readonly heap: (node: string) => boolean;
  readonly devices: readonly DeviceRequest[];
  readonly buffer: BufferRequest;
  /** What an administrator is told of its pool: `kind` and `node`. */
  readonly kind: HeapKind;
  readonly node?: string;
  /** Whether anything says who still has its memory. */
  readonly counts: boolean;
}

/** Any other heap has memory in one piece, which is scarce and given only to those that ask for it. */
const SCATTERED = /\/(?:system|udmabuf)$/;

const heap = (name: string, key: string, node: string, kind: HeapKind): Exporter => ({
  name,
  key,
  heap: (other) => other === node,
  devices: [SCATTERED.test(node) ? CPU : { ...CPU, contiguous: true }],
  buffer: { size: SIZE },
  kind,
  node,
  counts: true,
});

/** A card that takes nobody else's memory for its screen. */
const dumb = (driver: string, node: string): Exporter => ({
  name: `dumb ${driver}`,
  key: driver,
  heap: () => true,
  devices: [{ device: node, uses: ['scanout'] }, CPU],
  buffer: IMAGE,
  kind: 'drm-dumb',
  node,
  counts: true,
});

/** All that this machine has, but for plain memory, which is never handed out twice. */
export function exporters(): readonly Exporter[] {
  const heaps = heapNodes().map((node) =>
    node === '/dev/udmabuf'
      ? heap('udmabuf', 'udmabuf', node, 'udmabuf')
      : heap(`heap ${basename(node)}`, `dma-heap:${basename(node)}`, node, 'dma-heap'),
  );
  const displays = [...cards()]
    .filter(([driver, node]) => ['virtio_gpu', 'bochs-drm'].includes(driver) && exportsBuffers(node))
    .map(([driver, node]) => dumb(driver, node));
  return [...heaps, ...displays];
}
