import type { Heap } from '../../heaps/heap.js';
import type { V4l2Calls, V4l2Image } from '../../kernel/v4l2.js';
import { readQueues, type ImageQueue } from '../v4l2-uses.js';
import { accepted, failed, failureOf, giveBack, unlessGone, type Outcome } from './outcome.js';
import type { ProbeBuffers } from './probe-buffers.js';
import { resultsOf, type ProbeResults, type Part } from './result.js';

/** A queue with the image that it is set to, or why that cannot be known. */
interface SetQueue extends ImageQueue {
  readonly image: V4l2Image | { readonly unknown: string };
}

/**
 * Queues a buffer of each heap to each queue of an open node, as the image that the queue is set to, and takes it back.
 * Nothing streams and no format is changed; a queue that another process has is left alone.
 * @param node open V4L2 node (borrowed)
 * @returns what was learned, by heap id
 * @throws {KernelError} the node does not say what it is
 */
export async function tryOnV4l2(
  v4l2: V4l2Calls,
  node: number,
  heaps: readonly Heap[],
  buffers: ProbeBuffers,
): Promise<ReadonlyMap<string, ProbeResults>> {
  const { capabilities } = v4l2.queryCapabilities(node);
  const queues: SetQueue[] = [];
  for (const queue of readQueues(v4l2, node, capabilities))
    queues.push({ ...queue, image: await imageOf(v4l2, node, queue) });
  const results = new Map<string, ProbeResults>();
  for (const heap of heaps) {
    const parts: Part[] = [];
    for (const queue of queues)
      parts.push({ uses: [queue.use], outcome: await tryQueue(v4l2, node, queue, heap, buffers) });
    results.set(heap.id, resultsOf(parts));
  }
  return results;
}

async function imageOf(v4l2: V4l2Calls, node: number, { queue }: ImageQueue): Promise<SetQueue['image']> {
  try {
    return await v4l2.getFormat(node, queue);
  } catch (error) {
    // A decoder, for one, has no size before it has a stream.
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return { unknown: failure.message };
  }
}

async function tryQueue(
  v4l2: V4l2Calls,
  node: number,
  { queue, image }: SetQueue,
  heap: Heap,
  buffers: ProbeBuffers,
): Promise<Outcome> {
  if ('unknown' in image) return { is: 'unclear', why: image.unknown };
  const largest = Math.max(0, ...image.planes.map(({ size }) => size));
  if (largest === 0) return { is: 'unclear', why: 'the queue is set to no image' };
  const probe = await buffers.atLeast(heap, BigInt(largest));
  if ('lacks' in probe) return { is: 'unclear', why: probe.lacks };
  const refusal = (call: string, error: unknown): Outcome =>
    unlessGone(failed(call, error), () => v4l2.queryCapabilities(node));
  let places: number;
  try {
    places = await v4l2.requestBuffers(node, queue, 1);
  } catch (error) {
    // EINVAL: the queue takes no dma-bufs at all.
    return refusal('REQBUFS', error);
  }
  try {
    if (places === 0) return { is: 'unclear', why: 'the queue has no place for a buffer' };
    // All planes of an image may lie in one buffer: it is not written to.
    const { dmaBuf, size: length } = probe;
    const planes = image.planes.map(({ size }) => ({ dmaBuf, length: Number(length), bytesUsed: size }));
    await v4l2.queueDmaBufs(node, queue, 0, planes);
    return accepted('QBUF');
  } catch (error) {
    return refusal('QBUF', error);
  } finally {
    await giveBack(() => v4l2.requestBuffers(node, queue, 0));
  }
}
