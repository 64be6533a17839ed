import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { pixelFormat } from '../../../daemon/constraints/formats.js';
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
});
