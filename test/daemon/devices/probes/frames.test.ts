import { describe, expect, it } from 'vitest';

import type { LimitFact } from '../../../../daemon/devices/inventory.js';
import { framesFor } from '../../../../daemon/devices/probes/frames.js';
import { PROBE_SIZES_BYTES } from '../../../../daemon/devices/probes/probe-buffers.js';
import type { DeviceRules } from '../../../../daemon/policy/policy.js';
import { device, NO_RULES } from '../../../tools/devices.js';

const TILED = 0x0100_0000_0000_0001n;
const takes = (...formats: readonly string[]) =>
  formats.map((format) => ({
    format,
    modifiers: [TILED, 0n],
    uses: ['scanout' as const],
    source: 'kernel:IN_FORMATS',
  }));
const most = (limit: 'max-width' | 'max-height', value: number): LimitFact => ({
  limit,
  value,
  source: 'kernel:MODE_GETRESOURCES',
  uses: ['scanout'],
});

describe('framesFor', () => {
  it('begins with the largest frame of what displays usually take, and it fits in a probe buffer', () => {
    const [first, ...rest] = framesFor(device({ formats: takes('R8  ', 'NV12', 'XR24') }), NO_RULES);
    expect(first).toEqual({
      format: 'XR24',
      explicit: true,
      width: 1024,
      height: 1024,
      planes: [{ offset: 0n, pitch: 4096 }],
      size: 4n * 1024n * 1024n,
    });
    expect(first?.size).toBeLessThanOrEqual(PROBE_SIZES_BYTES[0] ?? 0n);
    expect([...new Set(rest.map(({ format }) => format))]).toEqual(['XR24', 'NV12', 'R8  ']);
  });

  it('has one that fits in the smallest probe buffer', () => {
    const sizes = framesFor(device({ formats: takes('XR24') }), NO_RULES).map(({ size }) => size);
    expect(sizes.some((size) => size <= (PROBE_SIZES_BYTES.at(-1) ?? 0n))).toBe(true);
  });

  it("keeps the device's limits and policy's, as the buffers do that clients get", () => {
    const limits = [most('max-width', 800), most('max-height', 600)];
    const rules: DeviceRules = {
      ...NO_RULES,
      limits: [{ limit: 'pitch-multiple', value: 512, source: 'policy:f:1' }],
    };
    const frames = framesFor(device({ formats: takes('XR24'), limits }), rules);
    expect(frames.map(({ width, height, planes }) => [width, height, planes[0]?.pitch])).toEqual([
      [640, 480, 2560],
      [64, 64, 512],
    ]);
  });

  it('says no modifier of a plane that publishes none', () => {
    const formats = takes('XR24').map((fact) => ({ ...fact, source: 'kernel:MODE_GETPLANE' }));
    expect(framesFor(device({ formats }), NO_RULES).every(({ explicit }) => !explicit)).toBe(true);
  });

  it('has none for what is no display, takes nothing linear, or nothing that anybody can lay out', () => {
    const [tiled] = takes('XR24');
    if (tiled === undefined) throw new Error('a format');
    expect(framesFor(device(), NO_RULES)).toEqual([]);
    expect(framesFor(device({ formats: [{ ...tiled, modifiers: [TILED] }] }), NO_RULES)).toEqual([]);
    expect(framesFor(device({ formats: [{ ...tiled, uses: ['render'] }] }), NO_RULES)).toEqual([]);
    expect(framesFor(device({ formats: takes('QQ42') }), NO_RULES)).toEqual([]);
  });
});
