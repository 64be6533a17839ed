import { describe, expect, it } from 'vitest';

import { takenFormats } from '../../../daemon/broker/taken-formats.js';
import { indexDevices } from '../../../daemon/broker/device-index.js';
import type { Constraint } from '../../../daemon/constraints/constraint-types.js';
import { CPU_DEVICE, type Device, type Inventory } from '../../../daemon/devices/inventory.js';

const device = (formats: readonly string[]): Device => ({
  ...CPU_DEVICE,
  node: '/dev/dri/card0',
  number: '226:0',
  subsystem: 'drm',
  uses: ['scanout', 'render'],
  formats: formats.map((format) => ({
    format,
    modifiers: [0n],
    uses: ['scanout'],
    source: 'kernel:IN_FORMATS',
  })),
});
const index = (formats: readonly string[]) =>
  indexDevices({ devices: [device(formats)] } as unknown as Inventory);
const entries = [{ device: '/dev/dri/card0', uses: ['scanout'], limits: {} }] as const;
const conflict = (value: readonly bigint[]): readonly Constraint[] => [
  { kind: 'formats', value, origin: { entry: 0, device: '/dev/dri/card0', source: 'kernel:IN_FORMATS' } },
];

describe('takenFormats', () => {
  it('names what a device takes for the use that was asked', () => {
    expect(takenFormats(conflict([]), { entries }, index(['XR24', 'R8  ']))).toEqual([
      '/dev/dri/card0 takes XR24, R8 for scanout.',
    ]);
  });

  it('names twelve of very many', () => {
    const many = Array.from({ length: 20 }, (_, i) => `X${100 + i}`);
    const [text = ''] = takenFormats(conflict([]), { entries }, index(many));
    expect(text).toMatch(/X111 and 8 more for scanout\.$/);
  });

  it('says nothing where the device takes the format, and only its modifiers clash', () => {
    expect(takenFormats(conflict([5n]), { entries }, index(['XR24']))).toEqual([]);
  });
});
