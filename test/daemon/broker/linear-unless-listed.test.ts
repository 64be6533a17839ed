import { afterEach, describe, expect, it, vi } from 'vitest';

import type { Entry } from '../../../daemon/broker/broker-types.js';
import { pixelFormat } from '../../../daemon/constraints/formats.js';
import { decide } from '../../../daemon/constraints/decide.js';
import type { Constraint, Decision } from '../../../daemon/constraints/constraint-types.js';
import { CPU_DEVICE, type Device } from '../../../daemon/devices/inventory.js';
import { buffersOpen } from '../fake-heap.js';
import { CAMERA, GPU, machine } from '../machine.js';
import { entry, image, makeRig, OWNER } from './rig.js';

/** I915_FORMAT_MOD_X_TILED and Y_TILED of `drm_fourcc.h`; `GPU` lists X for scanout and for rendering. */
const X_TILED = 0x0100_0000_0000_0001n;
const Y_TILED = 0x0100_0000_0000_0002n;
const CARD = GPU.node;
/** A codec that publishes nothing. */
const SILENT: Device = { ...CAMERA, node: '/dev/video1', number: '81:1', uses: ['decode'], formats: [] };

afterEach(async () => {
  await vi.waitFor(() => {
    expect(buffersOpen()).toEqual([]);
  });
});

const constraintsOf = async (...entries: readonly Entry[]): Promise<readonly Constraint[]> => {
  const inventory = machine(undefined, [CPU_DEVICE, GPU, CAMERA, SILENT]);
  const { constraints } = await makeRig({ inventory }).broker.explain(OWNER, image({ entries }));
  return constraints;
};

const byDefault = (constraints: readonly Constraint[]): readonly Constraint[] =>
  constraints.filter(({ origin }) => origin.source === 'default');

const linear = (place: number, device: string): Constraint => ({
  kind: 'modifiers',
  value: [0n],
  origin: { entry: place, device, source: 'default' },
});

/** What would be decided if the only pool could lay out everything. */
function besideTiledPool(constraints: readonly Constraint[]): Decision {
  const format = pixelFormat('XR24');
  if (format === undefined) throw new Error('XR24 is a format');
  return decide({
    content: { format, width: 64, height: 64 },
    constraints: constraints.filter(({ memory, kind }) => memory === undefined && kind !== 'reach'),
    memories: [
      {
        handle: 'p-tiled',
        class: 'scattered',
        contiguous: false,
        protected: false,
        modifiers: [Y_TILED, X_TILED, 0n],
        addressBits: 32,
      },
    ],
  });
}

describe('an entry that lists no modifiers means linear', () => {
  it.each<[what: string, entry: Entry]>([
    ['where it renders', entry(CARD, { uses: ['render'] })],
    ['where it renders what it shows', entry(CARD, { uses: ['scanout', 'render'] })],
    ['where the device publishes no formats', entry(SILENT.node, { uses: ['decode'] })],
    ['without uses', entry(CARD)],
    [
      'where its formats have none either',
      entry(CARD, { uses: ['render'], formats: [{ format: 'XR24', modifiers: [] }] }),
    ],
  ])('%s', async (_what, silent) => {
    const constraints = await constraintsOf(silent);
    expect(byDefault(constraints)).toEqual([linear(0, silent.device)]);
    expect(besideTiledPool(constraints)).toMatchObject({
      feasible: true,
      layout: { image: { modifier: 0n } },
    });
  });

  it('beside one that lists tiles', async () => {
    const constraints = await constraintsOf(
      entry(CARD, { uses: ['scanout'], limits: { modifiers: [X_TILED, 0n] } }),
      entry(CARD, { uses: ['render'] }),
    );
    expect(byDefault(constraints)).toEqual([linear(1, CARD)]);
    expect(besideTiledPool(constraints)).toMatchObject({
      feasible: true,
      layout: { image: { modifier: 0n } },
    });
  });

  it('so that tiles alone clash with it', async () => {
    const constraints = await constraintsOf(
      entry(CARD, { uses: ['scanout'], limits: { modifiers: [X_TILED] } }),
      entry(CARD, { uses: ['render'] }),
    );
    const decision = besideTiledPool(constraints);
    expect(decision.feasible).toBe(false);
    expect(decision.feasible ? [] : decision.conflict).toContainEqual(linear(1, CARD));
  });
});

describe('nothing is taken for granted of an entry', () => {
  it.each<[what: string, entry: Entry]>([
    ['whose device publishes what it shows', entry(CARD, { uses: ['scanout'] })],
    ['that lists modifiers', entry(CARD, { uses: ['render'], limits: { modifiers: [X_TILED, 0n] } })],
    [
      'that lists them with its formats',
      entry(CARD, { uses: ['render'], formats: [{ format: 'XR24', modifiers: [X_TILED] }] }),
    ],
    [
      'that lists other formats',
      entry(CARD, { uses: ['render'], formats: [{ format: 'NV12', modifiers: [] }] }),
    ],
    ['of the CPU, which says linear itself', entry('cpu', { uses: ['read'] })],
  ])('%s', async (_what, listed) => {
    expect(byDefault(await constraintsOf(listed))).toEqual([]);
  });

  it('where there is no image', async () => {
    const { constraints } = await makeRig().broker.explain(OWNER, {
      entries: [entry(CARD, { uses: ['render'] })],
      content: { size: 4096n },
    });
    expect(byDefault(constraints)).toEqual([]);
  });
});
