import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { pixelFormat } from '../../../daemon/constraints/formats.js';
import { roundUp } from '../../../daemon/devices/rounding.js';
import { tryFormat } from '../../../daemon/devices/v4l2-format-probe.js';
import { FakeKernel, roundingDriver } from '../../tools/fake-drivers.js';

const driverOf = (step: number, bytes: number, listens: boolean) => {
  const { v4l2 } = new FakeKernel();
  const driver = roundingDriver({ step, bytes, max: 65_535, listens });
  v4l2.tryFormat = async (_node, _queue, wish) => Promise.resolve(driver(wish));
  return v4l2;
};

describe('tryFormat', () => {
  it('finds a step that gives every width the pitch that the driver gives it', async () => {
    const format = fc.constantFrom('XR24', 'RG24', 'RG16', 'R8  ', 'YUYV', 'NV12', 'NV16', 'P010');
    const step = fc.integer({ min: 0, max: 10 }).map((exponent) => 2 ** exponent);
    const widths = fc.array(fc.integer({ min: 1, max: 4096 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(format, step, widths, fc.boolean(), async (fourcc, truth, some, listens) => {
        const shape = pixelFormat(fourcc);
        if (shape === undefined) throw new Error(fourcc);
        const [{ bytes, hsub } = { bytes: 0, hsub: 1 }] = shape.planes;
        const { pitch } = await tryFormat(
          driverOf(truth, bytes / hsub, listens),
          0,
          'capture',
          fourcc,
          shape,
        );
        const found = pitch?.step ?? 1;
        const whole = Math.max(...shape.planes.map((plane) => plane.hsub));
        for (const width of some.map((any) => any * whole)) {
          const row = (width / hsub) * bytes;
          expect(Math.ceil(row / found) * found).toBe(Math.ceil(row / truth) * truth);
        }
        expect(pitch?.exact ?? false).toBe(!listens);
      }),
    );
  });

  /** A decoder in whole units of pixels, as v4l2_apply_frmsize_constraints and v4l2_fill_pixfmt_mp make it. */
  const decoder = (fourcc: string, unit: number, max: readonly [width: number, height: number]) => {
    const [luma] = pixelFormat(fourcc)?.planes ?? [];
    const { v4l2 } = new FakeKernel();
    v4l2.tryFormat = async (_node, _queue, wish) => {
      const width = roundUp(Math.min(wish.width, max[0]), unit);
      const height = roundUp(Math.min(wish.height, max[1]), unit);
      const bytesPerLine = (width / (luma?.hsub ?? 1)) * (luma?.bytes ?? 0);
      const planes = [{ bytesPerLine, size: (bytesPerLine * height * 3) / 2 }];
      return Promise.resolve({ fourcc, width, height, planes });
    };
    return v4l2;
  };
  const found = (fourcc: string, ...more: [unit: number, max: readonly [number, number]]) => {
    const shape = pixelFormat(fourcc);
    if (shape === undefined) throw new Error(fourcc);
    return tryFormat(decoder(fourcc, ...more), 0, 'capture-mplane', fourcc, shape);
  };

  // hantro, which opens as MPEG-2: whole macroblocks, and no more than 1920 × 1088.
  it('finds the step of a decoder whose codec makes nothing so large as was asked', async () => {
    expect(await found('NV12', 16, [1920, 1088])).toEqual({
      pitch: { step: 16, exact: true },
      padding: { rows: 16, bytes: 1 },
      max: { width: 1920, height: 1088 },
    });
  });

  // rkvdec: 64 pixels, of which four take 5 bytes.
  it('finds a step of whole groups of pixels', async () => {
    expect((await found('NV15', 64, [4096, 2304])).pitch).toEqual({ step: 80, exact: true });
    expect((await found('NV15', 16, [1920, 1088])).pitch).toEqual({ step: 20, exact: true });
  });
});
