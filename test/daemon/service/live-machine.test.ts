import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { MachineState } from '../../../daemon/broker/options.js';
import type { Inventory } from '../../../daemon/devices/inventory.js';
import { ANYTHING, DEVICES } from '../../../daemon/devices/watch/change.js';
import { createKernel } from '../../../daemon/kernel/create.js';
import { LiveMachine, type Look, type TryOut } from '../../../daemon/service/live-machine.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import { FakeKernel } from '../../tools/fake-drivers.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';
import { policyOf } from '../machine.js';
import { naming } from '../../harness/naming.js';

const GPU = '/sys/devices/gpu';
const POLICY = policyOf('');
const CARD = '/dev/dri/card0';
const HEAP = '/dev/dma_heap/reserved';

let tree: SysfsTree;
let before: ReadonlyMap<number, string>;
let closed: Record<string, 'EACCES'>;
let tried: (ReadonlySet<string> | undefined)[];
let fails: boolean;
let machine: LiveMachine;

/** Every device reaches every heap that was tried with it, says this trial, and keeps what it was told of the others. */
const tryOut: TryOut = async (inventory, heaps, _policy, only) => {
  tried.push(only);
  await Promise.resolve();
  if (fails) throw new Error('a mistake in a trial');
  const reach = inventory.devices.flatMap(({ node }) =>
    heaps
      .filter(() => only?.has(node) !== false)
      .map(({ id }) => ({ device: node, heap: id, reachable: true, source: `trial:${tried.length}` })),
  );
  return { ...inventory, reach: [...inventory.reach, ...reach] };
};

beforeEach(() => {
  tree = new SysfsTree()
    .memory()
    .drm('card0', '226:0', GPU)
    .files({ '/dev/dma_heap/system': '', [HEAP]: '' });
  before = openFds();
  [closed, tried, fails] = [{}, [], false];
  const drm = {
    card0: { name: 'gpu', capabilities: { PRIME: 3n, DUMB_BUFFER: 1n } },
    card1: { name: 'other' },
  };
  const { memory, drm: drmCalls, v4l2, camera } = new FakeKernel({ drm, closed });
  const kernel = { ...createKernel(), memory, drm: drmCalls, v4l2, camera };
  machine = new LiveMachine({ kernel, root: tree.root, pageSize: 4096n, tryOut });
});
afterEach(() => {
  tree[Symbol.dispose]();
});

const look = (): Promise<Look> => machine.look(DEVICES, POLICY);
const ids = ({ heaps }: MachineState): string[] => heaps.map(({ id }) => id).toSorted();
const heapOf = ({ heaps }: MachineState, id: string) => heaps.find((heap) => heap.id === id);
const nodes = ({ inventory }: MachineState): string[] => inventory.devices.map(({ node }) => node);
const sources = ({ reach }: Inventory, device: string): string[] =>
  reach.filter((fact) => fact.device === device).map(({ heap, source }) => `${heap} ${source}`);
const replace = (node: string): void => {
  rmSync(join(tree.root, node));
  tree.files({ [node]: '' });
};

async function closeAll({ heaps }: MachineState): Promise<void> {
  for (const heap of heaps) heap.close();
  await expectNoNewFds(before);
}

const ALL = ['dma-heap:reserved', 'dma-heap:system', `drm-dumb:${CARD}`, 'memfd'];

describe('LiveMachine', () => {
  it('opens every heap, and tries everything, at its first look', async () => {
    const { state, between, isNew, refused, unsettled } = await machine.look(ANYTHING, POLICY);
    expect(ids(state)).toEqual(ALL);
    expect(nodes(state)).toEqual(['cpu', CARD]);
    expect([between, isNew, refused, unsettled.size]).toEqual([undefined, true, [], 0]);
    expect(tried).toEqual([undefined]);
    await closeAll(state);
  });

  it('sees nothing new where nothing is', async () => {
    const first = await look();
    const second = await look();
    expect(second).toMatchObject({ isNew: false });
    expect(second.state).toEqual(first.state);
    second.state.heaps.forEach((heap, i) => {
      expect(heap).toBe(first.state.heaps[i]);
    });
    expect(tried).toHaveLength(1);
    await closeAll(second.state);
  });

  it('tries what came, and keeps what it knows of the rest', async () => {
    const first = await look();
    tree.drm('card1', '226:1', '/sys/devices/other');
    const { state, isNew, between } = await look();
    expect([isNew, between]).toEqual([true, undefined]);
    expect(nodes(state)).toEqual(['cpu', CARD, '/dev/dri/card1']);
    expect(tried).toEqual([undefined, new Set(['/dev/dri/card1'])]);
    expect(sources(state.inventory, CARD)).toEqual(sources(first.state.inventory, CARD));
    expect(sources(state.inventory, '/dev/dri/card1')).toContain('memfd trial:2');
    await closeAll(state);
  });

  it('is without what went, its heap and what was known of them', async () => {
    const first = await look();
    for (const path of ['/sys/class/drm/card0', CARD]) rmSync(join(tree.root, path));
    const { state, isNew } = await look();
    expect(isNew).toBe(true);
    expect(ids(state)).toEqual(['dma-heap:reserved', 'dma-heap:system', 'memfd']);
    expect(heapOf(state, 'memfd')).toBe(heapOf(first.state, 'memfd'));
    expect(state.inventory.reach.filter(({ device, heap }) => `${device}${heap}`.includes(CARD))).toEqual([]);
    await closeAll(first.state);
  });

  it('tells a device and a heap from those that took their place', async () => {
    const first = await look();
    replace(CARD);
    replace(HEAP);
    const { state, between } = await look();
    if (between === undefined) throw new Error('nothing between');
    expect(nodes(between)).toEqual(['cpu']);
    expect(ids(between)).toEqual(['dma-heap:system', 'memfd']);
    expect(between.inventory.heaps.map(({ id }) => id)).toEqual(['dma-heap:system', 'memfd']);
    expect(ids(state)).toEqual(ALL);
    expect(heapOf(state, 'dma-heap:reserved')).not.toBe(heapOf(first.state, 'dma-heap:reserved'));
    expect(heapOf(state, 'memfd')).toBe(heapOf(between, 'memfd'));
    expect(tried[1]).toEqual(new Set([CARD, HEAP]));
    expect(sources(state.inventory, CARD).every((text) => text.endsWith('trial:2'))).toBe(true);
    for (const heap of first.state.heaps) heap.close();
    await closeAll(state);
  });

  it('takes a heap in that it may open at last', async () => {
    closed['system'] = 'EACCES';
    const first = await look();
    expect(ids(first.state)).not.toContain('dma-heap:system');
    expect(first.refused).toEqual([{ id: 'dma-heap:system', reason: 'EACCES' }]);
    expect(first.state.warnings).toEqual([expect.stringMatching(naming(1, 4))]);
    expect([...first.unsettled]).toEqual(['/dev/dma_heap/system']);
    expect((await look()).isNew).toBe(false);
    delete closed['system'];
    const { state, refused, isNew } = await look();
    expect([ids(state), refused, isNew, state.warnings]).toEqual([ALL, [], true, []]);
    expect(tried.at(-1)).toEqual(new Set(['/dev/dma_heap/system']));
    await closeAll(state);
  });

  it('leaves nothing open when a look fails, and looks again', async () => {
    const first = await look();
    fails = true;
    tree.drm('card1', '226:1', '/sys/devices/other').files({ '/dev/dma_heap/new': '' });
    const open = openFds();
    await expect(look()).rejects.toThrow('a mistake in a trial');
    await expectNoNewFds(open);
    fails = false;
    const { state } = await look();
    expect(ids(state)).toEqual(['dma-heap:new', ...ALL]);
    expect(tried.at(-1)).toEqual(new Set(['/dev/dri/card1', '/dev/dma_heap/new']));
    expect(heapOf(state, 'memfd')).toBe(heapOf(first.state, 'memfd'));
    await closeAll(state);
  });

  it('does not forget what was replaced when a look fails', async () => {
    const first = await look();
    replace(HEAP);
    fails = true;
    await expect(look()).rejects.toThrow();
    fails = false;
    const { state, between } = await look();
    expect(heapOf(state, 'dma-heap:reserved')).not.toBe(heapOf(first.state, 'dma-heap:reserved'));
    expect(between).toBeDefined();
    for (const heap of first.state.heaps) heap.close();
    await closeAll(state);
  });
});
