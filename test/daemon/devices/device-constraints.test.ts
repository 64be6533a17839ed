import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Constraint } from '../../../daemon/constraints/constraint-types.js';
import { allLimits, deviceConstraints } from '../../../daemon/devices/device-constraints.js';
import { type FormatFact, CPU_DEVICE } from '../../../daemon/devices/inventory.js';
import type { DeviceRules } from '../../../daemon/policy/policy.js';
import { USES, type Use } from '../../../dbus/names.js';
import { device, NO_RULES } from '../../tools/devices.js';

const fact = (
  format: string,
  modifiers: readonly bigint[],
  uses: readonly Use[],
  source = 'kernel:a',
): FormatFact => ({
  format,
  modifiers,
  uses,
  source,
});
const image = (format: string, width = 64, height = 48) => ({ format, width, height });
const formatsOf = (constraints: readonly Constraint[]) =>
  constraints.flatMap(({ kind, value, origin }) =>
    kind === 'formats' ? [{ value, source: origin.source }] : [],
  );

describe('deviceConstraints', () => {
  const gpu = device({
    uses: ['scanout', 'render', 'capture'],
    formats: [
      fact('XR24', [1n, 0n], ['scanout']),
      fact('XR24', [2n], ['scanout'], 'kernel:b'),
      fact('XR24', [0n, 2n], ['capture']),
      fact('NV12', [0n], ['scanout']),
    ],
  });
  const asked = (uses: readonly Use[] | undefined, format: string | undefined) =>
    formatsOf(deviceConstraints(gpu, uses, NO_RULES, 0, format === undefined ? undefined : image(format)));

  it('lets a use take a format with every modifier that any fact lists for it', () => {
    expect(asked(['scanout'], 'XR24')).toEqual([{ value: [1n, 0n, 2n], source: 'kernel:a' }]);
  });

  it('takes of several uses what all of them take', () => {
    expect(asked(['scanout', 'capture'], 'XR24')).toEqual([{ value: [0n, 2n], source: 'kernel:a' }]);
  });

  it('takes no modifier of a format that a publishing use does not take', () => {
    expect(asked(['capture'], 'NV12')).toEqual([{ value: [], source: 'kernel:a' }]);
    expect(asked(['scanout', 'capture'], 'NV12')).toEqual([{ value: [], source: 'kernel:a' }]);
    expect(asked(['scanout'], 'YUYV')).toEqual([{ value: [], source: 'kernel:a' }]);
  });

  it('asks nothing of formats that nobody publishes, without uses, and without an image', () => {
    expect(asked(['render'], 'XR24')).toEqual([]);
    expect(asked(undefined, 'XR24')).toEqual([]);
    expect(asked(['scanout'], undefined)).toEqual([]);
  });

  it('counts formats that DRM has no code for as published', () => {
    const bayer = device({
      uses: ['capture'],
      otherFormats: [{ name: 'RG10', uses: ['capture'], source: 'kernel:ENUM_FMT' }],
    });
    expect(formatsOf(deviceConstraints(bayer, ['capture'], NO_RULES, 0, image('NV12')))).toEqual([
      { value: [], source: 'kernel:ENUM_FMT' },
    ]);
  });

  it('says of each source what it says', () => {
    const both = device({
      uses: ['decode', 'encode'],
      formats: [
        fact('NV12', [0n, 1n], ['decode'], 'kernel:a'),
        fact('NV12', [0n, 2n], ['encode'], 'kernel:b'),
      ],
    });
    expect(formatsOf(deviceConstraints(both, ['decode', 'encode'], NO_RULES, 0, image('NV12')))).toEqual([
      { value: [0n, 1n], source: 'kernel:a' },
      { value: [0n, 2n], source: 'kernel:b' },
    ]);
  });

  it('puts its entry, its device and the source on every constraint', () => {
    const limited = device({ limits: [{ limit: 'pitch-multiple', value: 64, source: 'kernel:x' }] });
    expect(deviceConstraints(limited, ['scanout'], NO_RULES, 3, image('XR24'))).toEqual([
      {
        kind: 'pitch-multiple',
        value: 64,
        origin: { entry: 3, device: '/dev/dri/card0', source: 'kernel:x' },
      },
    ]);
    expect(allLimits(limited, NO_RULES)).toEqual([
      { kind: 'pitch-multiple', value: 64, origin: { entry: -1, device: '', source: 'kernel:x' } },
    ]);
  });

  it('counts bytes for each macroblock of the image, whole ones at its edges', () => {
    const rules: DeviceRules = {
      known: true,
      limits: [{ limit: 'size-extra', value: 128n, per: 'macroblock', source: 'policy:a:1' }],
    };
    const extra = (...size: [width: number, height: number]) =>
      deviceConstraints(device({}), ['decode'], rules, 0, image('NV12', ...size)).map(({ value }) => value);
    expect(extra(1920, 1088)).toEqual([128n * 120n * 68n]);
    // rkvdec of the kernel, rkvdec_fill_decoded_pixfmt: 128 bytes for each of 120 × 68 at 1080 rows, too.
    expect(extra(1920, 1080)).toEqual([1_044_480n]);
    expect(extra(1, 1)).toEqual([128n]);
    expect(deviceConstraints(device({}), ['decode'], rules, 0, undefined)).toEqual([]);
    expect(allLimits(device({}), rules)).toEqual([]);
  });

  it('lets programs map linear and unprotected memory alone', () => {
    const origin = { entry: 1, device: 'cpu', source: 'kernel:mmap' };
    const unprotected = { kind: 'protected', value: false, origin };
    expect(deviceConstraints(CPU_DEVICE, ['read'], NO_RULES, 1, image('XR24'))).toEqual([
      { kind: 'modifiers', value: [0n], origin },
      unprotected,
    ]);
    expect(deviceConstraints(CPU_DEVICE, undefined, NO_RULES, 1, undefined)).toEqual([unprotected]);
    expect(allLimits(CPU_DEVICE, NO_RULES)).toHaveLength(2);
  });

  it('never takes a modifier that one of the asked, publishing uses does not take', () => {
    const uses = fc.uniqueArray(fc.constantFrom(...USES), { minLength: 1, maxLength: 4 });
    const facts = fc.array(
      fc.record({
        format: fc.constantFrom('XR24', 'NV12'),
        modifiers: fc.uniqueArray(fc.bigInt({ min: 0n, max: 5n }), { maxLength: 4 }),
        uses,
        source: fc.constantFrom('kernel:a', 'kernel:b'),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(facts, uses, (formats, asked) => {
        const constraints = formatsOf(
          deviceConstraints(device({ formats }), asked, NO_RULES, 0, image('XR24')),
        );
        const taken = (use: Use, modifier: bigint): boolean =>
          !formats.some((one) => one.uses.includes(use)) ||
          formats.some(
            (one) => one.format === 'XR24' && one.uses.includes(use) && one.modifiers.includes(modifier),
          );
        for (let modifier = 0n; modifier <= 5n; modifier += 1n)
          expect(constraints.every(({ value }) => value.includes(modifier))).toBe(
            asked.every((use) => taken(use, modifier)),
          );
      }),
    );
  });
});
