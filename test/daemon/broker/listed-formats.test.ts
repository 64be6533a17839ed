import { afterEach, describe, expect, it, vi } from 'vitest';

import type { Entry, Explanation } from '../../../daemon/broker/broker-types.js';
import { buffersOpen } from '../fake-heap.js';
import { entry, image, makeRig, OWNER } from './rig.js';

const CARD = '/dev/dri/card0';

afterEach(async () => {
  await vi.waitFor(() => {
    expect(buffersOpen()).toEqual([]);
  });
});

const explain = async (entry: Entry): Promise<Explanation> =>
  makeRig().broker.explain(OWNER, image({ entries: [entry] }));

describe('the formats that a client lists for a device', () => {
  it('take the place of nothing that the device itself says', async () => {
    const listed = [{ format: 'XR24', modifiers: [] }];
    const { feasible, constraints } = await explain(entry(CARD, { uses: ['scanout'], formats: listed }));
    expect(feasible).toBe(true);
    expect(constraints).not.toContainEqual(
      expect.objectContaining({ origin: { entry: 0, device: CARD, source: 'client' } }),
    );
  });

  it('narrow its modifiers', async () => {
    const formats = (modifier: bigint) => [
      { format: 'NV12', modifiers: [0n] },
      { format: 'XR24', modifiers: [modifier] },
    ];
    const linear = await explain(entry(CARD, { uses: ['scanout'], formats: formats(0n) }));
    expect(linear.layout?.image?.modifier).toBe(0n);
    const tiled = await explain(entry(CARD, { uses: ['scanout'], formats: formats(0x100000000000001n) }));
    expect(tiled.layout?.image?.modifier).toBe(0x100000000000001n);
    // One that the device does not take.
    const other = 0x100000000000002n;
    const { feasible, conflicts } = await explain(
      entry(CARD, { uses: ['scanout'], formats: formats(other) }),
    );
    expect(feasible).toBe(false);
    expect(conflicts).toContainEqual({
      kind: 'modifiers',
      value: [other],
      origin: { entry: 0, device: CARD, source: 'client' },
    });
  });

  it('leave no modifier for a format that is not among them', async () => {
    const formats = [{ format: 'NV12', modifiers: [0n] }];
    const { feasible, conflicts } = await explain(entry('cpu', { formats }));
    expect(feasible).toBe(false);
    expect(conflicts).toEqual([
      { kind: 'formats', value: [], origin: { entry: 0, device: 'cpu', source: 'client' } },
    ]);
  });
});
