import { addressOf } from '../../../dbus/native/layout.js';
import { OwnedFd } from '../../../dbus/owned-fd.js';
import { Window } from '../../../client/memory/window.js';
import { withSync } from '../../../client/memory/sync.js';
import { drmCalls } from '../../../daemon/kernel/drm-calls.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { addFramebuffer, type FrameLayout } from './framebuffer.js';
import { commit, makeBlob, type Change } from './kms-commit.js';
import { findMode, findOutputs, type Outputs } from './kms-outputs.js';
import { readable } from './readable.js';

/** What a display showed. */
export interface Picture {
  /** XR24, row after row; gone when the function that it is lent to has settled. */
  readonly pixels: Uint8Array;
  /** Bytes from one row to the next. */
  readonly pitch: number;
}

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

const XR24 = { format: 'XR24', bits: 32 };
/** A plane's source is in 16.16 fixed point. */
const FIXED = 0x1_0000;

/** A card with a picture on it, as a compositor has one, and with a writeback connector that tells what it shows. */
export class Display implements AsyncDisposable {
  readonly size: Size;
  readonly #node: OwnedFd;
  readonly #outputs: Outputs;
  readonly #mode: number;
  readonly #back: Back;

  private constructor(node: OwnedFd, size: Size, outputs: Outputs, mode: number, back: Back) {
    this.#node = node;
    this.size = size;
    this.#outputs = outputs;
    this.#mode = mode;
    this.#back = back;
  }

  /** Becomes master of the card, which nobody else must be. @param size of one of the connector's modes */
  static async open(path: string, size: Size): Promise<Display> {
    const node = memoryCalls.openNode(path);
    const outputs = findOutputs(node.number);
    const mode = makeBlob(node.number, findMode(node.number, outputs.writeback, size.width, size.height));
    return new Display(node, size, outputs, mode, await makeBack(node.number, size));
  }

  /** A buffer (borrowed) for `show`. @throws {KernelError} */
  add(dmaBuf: number, layout: FrameLayout): Promise<number> {
    return addFramebuffer(this.#node.number, dmaBuf, layout);
  }

  /**
   * Shows a framebuffer in the upper left corner, and lends what the display then read back.
   * @param image its size
   * @throws {KernelError}
   */
  async show<T>(framebuffer: number, image: Size, look: (picture: Picture) => T): Promise<T> {
    // The kernel writes the descriptor of the fence here.
    const place = Buffer.alloc(Int32Array.BYTES_PER_ELEMENT, 0xff);
    await commit(this.#node.number, this.#changes(framebuffer, image, addressOf(place)));
    using fence = new OwnedFd(place.readInt32LE());
    await readable(fence.number);
    const { window, memory, pitch } = this.#back;
    const pixels = await window.open(memory.number);
    try {
      return await withSync(memory.number, { read: true }, () => Promise.resolve(look({ pixels, pitch })));
    } finally {
      await window.close();
    }
  }

  /** Takes everything off the card; framebuffers end with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#back.memory.close();
    const { crtc, plane, writeback, others } = this.#outputs;
    await commit(this.#node.number, [
      { object: crtc, set: { ACTIVE: 0, MODE_ID: 0 } },
      { object: plane, set: { FB_ID: 0, CRTC_ID: 0 } },
      ...[writeback, ...others].map((object) => ({ object, set: { CRTC_ID: 0 } })),
    ]);
    this.#node.close();
  }

  #changes(framebuffer: number, { width, height }: Size, fence: bigint): readonly Change[] {
    const { crtc, plane, writeback, others } = this.#outputs;
    return [
      { object: crtc, set: { ACTIVE: 1, MODE_ID: this.#mode } },
      ...others.map((object) => ({ object, set: { CRTC_ID: 0 } })),
      {
        object: plane,
        set: {
          ...{ FB_ID: framebuffer, CRTC_ID: crtc.id },
          ...{ SRC_X: 0, SRC_Y: 0, SRC_W: width * FIXED, SRC_H: height * FIXED },
          ...{ CRTC_X: 0, CRTC_Y: 0, CRTC_W: width, CRTC_H: height },
        },
      },
      {
        object: writeback,
        set: {
          CRTC_ID: crtc.id,
          WRITEBACK_FB_ID: this.#back.framebuffer,
          WRITEBACK_OUT_FENCE_PTR: fence,
        },
      },
    ];
  }
}

/** Where the display writes what it shows: memory of the card's own driver, so that no buffer is its own witness. */
interface Back {
  readonly framebuffer: number;
  readonly memory: OwnedFd;
  readonly window: Window;
  readonly pitch: number;
}

async function makeBack(node: number, { width, height }: Size): Promise<Back> {
  const { handle, pitch, size } = await drmCalls.createDumb(node, width, height, XR24.bits);
  const framebuffer = await drmCalls.addFramebuffer(node, {
    ...{ width, height, format: XR24.format, modifier: 0n },
    planes: [{ handle, pitch, offset: 0 }],
  });
  const memory = drmCalls.exportHandle(node, handle);
  await drmCalls.destroyDumb(node, handle);
  return { framebuffer, memory, window: new Window(Number(size)), pitch };
}
