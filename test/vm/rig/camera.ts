import assert from 'node:assert/strict';

import type { OwnedFd } from '../../../dbus/owned-fd.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import type { V4l2Done, V4l2Image, V4l2Wish } from '../../../daemon/kernel/v4l2.js';
import { v4l2Calls } from '../../../daemon/kernel/v4l2-calls.js';
import { readable } from './readable.js';

/** A camera that captures into other people's buffers. */
export class Camera implements AsyncDisposable {
  readonly #node: OwnedFd;
  #buffers: readonly number[] = [];

  constructor(path: string) {
    this.#node = memoryCalls.openNode(path);
  }

  /** Sets the image, and holds the driver to every number of it. @throws {KernelError} */
  async setFormat(wish: Required<V4l2Wish>): Promise<V4l2Image> {
    const image = await v4l2Calls.setFormat(this.#node.number, 'capture', wish);
    const { fourcc, width, height, planes } = image;
    assert.deepEqual({ fourcc, width, height, bytesPerLine: planes[0]?.bytesPerLine }, wish);
    return image;
  }

  /** What the driver would make of a wish. */
  tryFormat(wish: V4l2Wish): Promise<V4l2Image> {
    return v4l2Calls.tryFormat(this.#node.number, 'capture', wish);
  }

  /** Queues dma-bufs (borrowed until `stop`). @throws {KernelError} for one that the driver cannot use */
  async queueAll(buffers: readonly number[]): Promise<void> {
    const places = await v4l2Calls.requestBuffers(this.#node.number, 'capture', buffers.length);
    assert(places >= buffers.length, `the driver has places for ${places} buffers`);
    this.#buffers = buffers;
    for (const index of buffers.keys()) await this.queue(index);
  }

  async queue(index: number): Promise<void> {
    const dmaBuf = this.#buffers[index];
    assert(dmaBuf !== undefined);
    await v4l2Calls.queueDmaBufs(this.#node.number, 'capture', index, [{ dmaBuf }]);
  }

  start(): Promise<void> {
    return v4l2Calls.streamOn(this.#node.number, 'capture');
  }

  /** Waits for the next frame; its buffer is the program's until it is queued again. */
  async next(): Promise<V4l2Done> {
    await readable(this.#node.number);
    const done = await v4l2Calls.dequeue(this.#node.number, 'capture');
    assert(!done.failed, `frame ${done.sequence} is no image`);
    return done;
  }

  /** Ends the stream, and lets go of every buffer. */
  async stop(): Promise<void> {
    await v4l2Calls.streamOff(this.#node.number, 'capture');
    await this.release();
  }

  /** Lets go of every buffer of a queue that does not stream. */
  async release(): Promise<void> {
    await v4l2Calls.requestBuffers(this.#node.number, 'capture', 0);
    this.#buffers = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stop();
    } finally {
      this.#node.close();
    }
  }
}
