import { ioctl, iowr } from '../../../daemon/kernel/ioctl.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';

/** linux/videodev2.h */
const VIDIOC_S_INPUT = iowr('VIDIOC_S_INPUT', 'V', 39, Int32Array.BYTES_PER_ELEMENT);

/** Inputs of the machine's vivid: a webcam has a few sizes, an HDMI receiver crops and scales to any. */
export const INPUT = { webcam: 0, hdmi: 1 } as const;

/** Switches a video node to an input, for everybody, and back to the webcam when disposed of. */
export function videoInput(path: string, input: number): Disposable {
  const set = (index: number): void => {
    using node = memoryCalls.openNode(path);
    ioctl(VIDIOC_S_INPUT, node.number, Buffer.from(Int32Array.of(index).buffer));
  };
  set(input);
  return {
    [Symbol.dispose]: () => {
      set(INPUT.webcam);
    },
  };
}
