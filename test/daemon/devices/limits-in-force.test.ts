import { describe, expect, it } from 'vitest';

import type { Device, LimitFact } from '../../../daemon/devices/inventory.js';
import { limitsInForce } from '../../../daemon/devices/limits-in-force.js';
import type { DeviceRules } from '../../../daemon/policy/policy.js';
import { device, NO_RULES } from '../../tools/devices.js';

const KERNEL = 'kernel:TRY_FMT';
const POLICY = 'policy:/usr/lib/dmabroker/a.conf:3';

const pitch = (value: number, more: Partial<LimitFact> = {}): LimitFact =>
  ({ limit: 'pitch-multiple', value, source: KERNEL, ...more }) as LimitFact;
const ruled = (...limits: DeviceRules['limits']): DeviceRules => ({ known: true, limits });
const image = { uses: ['scanout'], format: 'XR24' } as const;

const values = (on: Device, rules: DeviceRules, asked: Parameters<typeof limitsInForce>[2]) =>
  limitsInForce(on, rules, asked).map(({ limit, value }) => [limit, value]);

describe('limitsInForce', () => {
  it('counts a limit for its uses and formats alone', () => {
    const on = device({
      limits: [
        pitch(2),
        pitch(4, { uses: ['scanout'] }),
        pitch(8, { uses: ['render'] }),
        pitch(16, { formats: ['NV12'] }),
      ],
    });
    expect(values(on, NO_RULES, image)).toEqual([
      ['pitch-multiple', 2],
      ['pitch-multiple', 4],
    ]);
    expect(values(on, NO_RULES, { uses: ['render', 'scanout'], format: 'NV12' })).toHaveLength(4);
    expect(values(on, NO_RULES, { uses: undefined, format: 'XR24' })).toEqual([['pitch-multiple', 2]]);
    expect(values(on, NO_RULES, undefined)).toHaveLength(4);
  });

  it('says once what is asked of several uses', () => {
    const on = device({ limits: [pitch(4, { uses: ['capture'] }), pitch(4, { uses: ['output'] })] });
    const limits = limitsInForce(on, NO_RULES, { uses: ['capture', 'output'], format: 'XR24' });
    expect(limits).toHaveLength(1);
  });

  it('asks nothing of the rows of memory without an image', () => {
    const limits: LimitFact[] = [
      pitch(2),
      { limit: 'max-width', value: 100, source: KERNEL },
      { limit: 'size-multiple', value: 4096n, source: KERNEL },
      { limit: 'size-multiple', value: 8192n, source: KERNEL, formats: ['NV12'] },
      { limit: 'min-buffers', value: 3, source: KERNEL },
    ];
    expect(values(device({ limits }), NO_RULES, { uses: ['scanout'], format: undefined })).toEqual([
      ['size-multiple', 4096n],
      ['min-buffers', 3],
    ]);
  });

  it("lets a rule take the place of the kernel's word for the same thing, and of nothing else", () => {
    const on = device({ limits: [pitch(2), { limit: 'max-width', value: 100, source: KERNEL }] });
    const rules = ruled({ limit: 'pitch-multiple', value: 64, source: POLICY });
    expect(values(on, rules, image)).toEqual([
      ['max-width', 100],
      ['pitch-multiple', 64],
    ]);
    const elsewhere = ruled({ limit: 'pitch-multiple', value: 64, source: POLICY, formats: ['NV12'] });
    expect(values(on, elsewhere, image)).toEqual([
      ['pitch-multiple', 2],
      ['max-width', 100],
    ]);
    // A view shows both, because the kernel's word holds for the other formats.
    expect(values(on, elsewhere, undefined)).toEqual([
      ['pitch-multiple', 2],
      ['max-width', 100],
      ['pitch-multiple', 64],
    ]);
  });

  it("counts a driver's habit only where no rule knows the driver", () => {
    const on = device({
      limits: [pitch(64, { source: 'kernel:CREATE_DUMB' }), pitch(4, { source: 'trial:ADDFB2:EINVAL' })],
    });
    expect(values(on, NO_RULES, image)).toEqual([['pitch-multiple', 4]]);
    expect(values(on, { known: false, limits: [] }, image)).toEqual([
      ['pitch-multiple', 64],
      ['pitch-multiple', 4],
    ]);
  });

  it('counts a rule for large images where the image is larger', () => {
    const wide = { limit: 'pitch-multiple', value: 512, source: POLICY, above: { width: 3840 } } as const;
    const on = device({ limits: [pitch(2)] });
    const asked = (width: number) => values(on, ruled(wide), { ...image, size: { width, height: 48 } });
    expect(asked(3840)).toEqual([['pitch-multiple', 2]]);
    // It says nothing of others, and so takes the place of nothing.
    expect(asked(3841)).toEqual([
      ['pitch-multiple', 2],
      ['pitch-multiple', 512],
    ]);
    expect(values(on, ruled(wide), { uses: ['scanout'], format: undefined })).toEqual([]);
  });

  it('leaves it to the layout whether a pitch is so large', () => {
    const large = { limit: 'pitch-multiple', value: 4096, source: POLICY, above: { pitch: 32_768 } } as const;
    const size = { width: 64, height: 48 };
    expect(values(device(), ruled(large), { ...image, size })).toEqual([['pitch-multiple', 4096]]);
  });

  it('limits the address where no IOMMU translates for the device', () => {
    const mask = { value: 32, source: 'kernel:/sys/class/drm/card0/device/dma_mask_bits' };
    const behind = (type: string, dmaMaskBits = mask) =>
      limitsInForce(device({ dmaMaskBits, iommu: { value: type, source: 'kernel:type' } }), NO_RULES, image);
    for (const type of ['none', 'identity', 'blocked'])
      expect(behind(type)).toEqual([{ limit: 'address-bits', ...mask }]);
    for (const type of ['DMA', 'DMA-FQ']) expect(behind(type)).toEqual([]);
    expect(behind('none', { ...mask, value: 64 })).toEqual([]);
  });

  it('needs contiguous memory when the rule says so, always or without an IOMMU', () => {
    const needs = (contiguous: 'yes' | 'no' | 'without-iommu', type: string) =>
      values(
        device({ iommu: { value: type, source: 'kernel:type' } }),
        { ...NO_RULES, contiguous: { value: contiguous, source: POLICY } },
        { uses: ['scanout'], format: undefined },
      );
    const yes = [['contiguous', true]];
    expect([needs('yes', 'DMA'), needs('yes', 'none')]).toEqual([yes, yes]);
    expect([needs('without-iommu', 'DMA'), needs('without-iommu', 'none')]).toEqual([[], yes]);
    expect([needs('no', 'DMA'), needs('no', 'none')]).toEqual([[], []]);
  });

  it('takes no flag that is not set for a limit, but for memory that a device may not touch', () => {
    const limits: LimitFact[] = [
      { limit: 'contiguous', value: false, source: KERNEL },
      { limit: 'pitch-linked', value: false, source: KERNEL },
      { limit: 'protected', value: false, source: KERNEL },
    ];
    expect(values(device({ limits }), NO_RULES, image)).toEqual([['protected', false]]);
  });
});
