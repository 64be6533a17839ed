import { describe, expect, it } from 'vitest';

import type { Mode } from '../../../daemon/devices/inventory.js';
import { bytesWanted, frameText, requirementsOf } from '../../../daemon/sizing/requirements.js';
import { CAMERA, GPU, policyOf } from '../machine.js';
import { picture } from './machines.js';

const mode = (connector: string, width: number, height: number, more: Partial<Mode> = {}): Mode => ({
  connector,
  width,
  height,
  refresh: 60,
  preferred: false,
  current: false,
  ...more,
});
const policy = policyOf('[Broker]\nDisplayFrames=2\nCameraFrames=5\n');

describe('needsOf', () => {
  it('is one for each display that is connected, of what it shows', () => {
    const modes = [
      mode('DP-1', 3840, 2160, { preferred: true }),
      mode('DP-1', 1920, 1080, { current: true }),
      mode('HDMI-A-1', 1280, 720),
    ];
    const requirements = requirementsOf([{ ...GPU, modes }], policy);
    expect(requirements.map(({ kind, name, use, frame }) => [kind, name, use, frame.bytes])).toEqual([
      ['display', 'DP-1', 'scanout', 8_294_400n],
      ['display', 'HDMI-A-1', 'scanout', 3_686_400n],
    ]);
    expect(requirements.map(({ frames }) => frames)).toEqual(
      Array(2).fill({ value: 2, source: 'policy:/etc/dmabroker/dmabroker.conf:2' }),
    );
  });

  it('is one for each camera, row by row in whole bytes', () => {
    const pictures = [picture('front', 3, 7, 10), picture('back', 4056, 3040, 10)];
    const [front, back] = requirementsOf([{ ...CAMERA, pictures }], policy);
    expect(front?.frame.bytes).toBe(4n * 7n);
    expect(back).toMatchObject({
      kind: 'camera',
      name: 'back',
      use: 'capture',
      device: { node: CAMERA.node },
      frame: { bytes: 15_412_800n },
      frames: { value: 5, source: 'policy:/etc/dmabroker/dmabroker.conf:3' },
    });
    expect(back && bytesWanted(back)).toBe(77_064_000n);
    expect(back && frameText(back.frame)).toBe('4056×3040 packed 10-bit Bayer');
  });

  it('is none of a device without either, and none of what has no size', () => {
    expect(requirementsOf([CAMERA], policy)).toEqual([]);
    expect(requirementsOf([{ ...GPU, modes: [mode('DP-1', 0, 1080)] }], policy)).toEqual([]);
  });
});
