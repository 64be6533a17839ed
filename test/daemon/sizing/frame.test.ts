import { describe, expect, it } from 'vitest';

import { type Mode, CPU_DEVICE } from '../../../daemon/devices/inventory.js';
import { largestFrame } from '../../../daemon/sizing/frame.js';

const mode = (connector: string, width: number, height: number, is: Partial<Mode> = {}): Mode => ({
  connector,
  width,
  height,
  refresh: 60,
  preferred: false,
  current: false,
  ...is,
});
const frameOf = (...modes: Mode[]): unknown => largestFrame([{ ...CPU_DEVICE, modes }]);

describe('largestFrame', () => {
  it('is full HD where no display is connected', () => {
    expect(frameOf()).toEqual({ width: 1920, height: 1080 });
  });

  it('is what the display shows now, not what it could', () => {
    expect(
      frameOf(mode('HDMI', 3840, 2160, { preferred: true }), mode('HDMI', 800, 600, { current: true })),
    ).toEqual({
      width: 800,
      height: 600,
    });
  });

  it('is what the display prefers, then its largest, when it shows nothing', () => {
    expect(frameOf(mode('DP', 3840, 2160), mode('DP', 2560, 1440, { preferred: true }))).toEqual({
      width: 2560,
      height: 1440,
    });
    expect(frameOf(mode('DP', 640, 480), mode('DP', 1024, 768))).toEqual({ width: 1024, height: 768 });
  });

  it('is the largest of several displays', () => {
    const frame = frameOf(
      mode('DP', 1024, 768, { current: true }),
      mode('HDMI', 1280, 1024, { current: true }),
      mode('VGA', 640, 480, { current: true }),
    );
    expect(frame).toEqual({ width: 1280, height: 1024 });
  });
});
