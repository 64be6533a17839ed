import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import type { Inventory } from '../../../../daemon/devices/inventory.js';
import { FileProbeStore } from '../../../../daemon/devices/probes/file-store.js';
import { CachingStore } from '../../../../daemon/devices/probes/probe-record.js';
import type { FakeDrm } from '../../../tools/fake-drivers.js';
import { buffersOpen } from '../../fake-heap.js';
import { display, DRIVERS, leftOpen, lines, TrialRig, type RigOptions } from './rig.js';

const MIB = 1024n * 1024n;
const TRY = '[Device driver=vivid]\nTryImport=yes\n';
const rigs: TrialRig[] = [];
const rigOf = (options: RigOptions = {}): TrialRig => {
  const rig = new TrialRig(options);
  rigs.push(rig);
  return rig;
};
afterEach(() => {
  for (const rig of rigs.splice(0)) {
    expect(leftOpen(rig.tree.root)).toEqual([]);
    expect(rig.kernel.left).toEqual([]);
    expect(rig.cma.free).toBe(rig.cma.total);
    rig[Symbol.dispose]();
  }
  expect(buffersOpen()).toEqual([]);
});

const classes = ({ heaps }: Inventory) =>
  heaps
    .filter(({ kind }) => kind === 'dma-heap')
    .map(({ name, class: { value, source }, capacity }) => [name, value, source, capacity?.value]);

describe('probe', () => {
  it('tries every heap on every DRM device, its own memory too, and plain memory on none', async () => {
    const rig = rigOf();
    const inventory = await rig.probe();
    expect(lines(inventory)).toEqual([
      '/dev/dri/card0 dma-heap:system yes trial:ADDFB2',
      '/dev/dri/card0 drm-dumb:/dev/dri/card0 yes trial:ADDFB2',
      '/dev/dri/card1 dma-heap:system no trial:PRIME_FD_TO_HANDLE:ENODEV',
      '/dev/dri/card1 drm-dumb:/dev/dri/card0 no trial:PRIME_FD_TO_HANDLE:ENODEV',
    ]);
    const published = await rig.published();
    expect({ ...inventory, heaps: published.heaps, reach: [] }).toEqual(published);
    expect(inventory.heaps).toEqual(
      published.heaps.map((facts): unknown => expect.objectContaining({ ...facts })),
    );
    expect(rig.logged).toEqual([]);
  });

  it('opens each device once, makes one buffer a heap, and makes few calls for a pair', async () => {
    const cards = Array.from({ length: 10 }, (_, i): [string, FakeDrm] => [`card${i}`, display(`gpu${i}`)]);
    const some = cards.map(([name, card], i): [string, FakeDrm] =>
      i === 0 ? [name, card] : [name, { ...card, capabilities: {} }],
    );
    const rig = rigOf({
      drivers: { drm: Object.fromEntries(some) },
      dmaHeaps: { a: false, b: false, c: false },
    });
    const { reach } = await rig.probe();
    expect(reach).toHaveLength(40);
    const count = (call: string): number => rig.kernel.calls.filter((made) => made.endsWith(call)).length;
    expect([count(' open'), count(' importDmaBuf'), count(' addFramebuffer')]).toEqual([10 + 6, 40, 40]);
    // Import, framebuffer and both given back; a node is opened and asked about modifiers. The one card that makes dumb
    // buffers is opened six times, and its two buffers are made, mapped and given up; one of them is exported.
    expect(rig.kernel.calls).toHaveLength(40 * 4 + 10 * 2 + 6 + 2 * 3 + 1);
    // A small one shows what a former holder can keep.
    expect(rig.dmaHeap('a').sizes.map((size) => size > 4096n)).toEqual([false, true]);
  });

  it('tries V4L2 devices by the word of policy alone', async () => {
    const rig = rigOf({ policy: TRY });
    expect(lines(await rig.probe()).filter((line) => line.includes('video'))).toEqual([
      '/dev/video0 dma-heap:system yes trial:QBUF',
      '/dev/video0 drm-dumb:/dev/dri/card0 yes trial:QBUF',
    ]);
    const other = rigOf({ policy: '[Device driver=vivid]\nTryImport=no\n' });
    await other.probe();
    expect(other.kernel.calls.filter((call) => call.startsWith('video0'))).toEqual([]);
  });

  it('goes on without a device that cannot be opened and a heap that has nothing', async () => {
    const rig = rigOf({
      drivers: { ...DRIVERS, closed: { card1: 'EACCES' } },
      dmaHeaps: { system: false, empty: false },
    });
    rig.dmaHeap('empty').faults = ['ENOMEM', 'ENOMEM', 'ENOMEM'];
    expect(lines(await rig.probe())).toEqual([
      '/dev/dri/card0 dma-heap:system yes trial:ADDFB2',
      '/dev/dri/card0 drm-dumb:/dev/dri/card0 yes trial:ADDFB2',
    ]);
    expect(rig.logged).toMatchObject([
      { event: 'heap-retains', heap: 'dma-heap:empty' },
      { event: 'reach-unknown', device: '/dev/dri/card0', heap: 'dma-heap:empty' },
      { event: 'reach-unknown', device: '/dev/dri/card1', heap: 'dma-heap:empty' },
      { event: 'device-untried', device: '/dev/dri/card1' },
    ]);
  });

  it('tries no heap that it was not given', async () => {
    const rig = rigOf();
    const inventory = await rig.probe({ heaps: [] });
    expect(inventory.reach).toEqual([]);
    expect(rig.kernel.calls).toEqual([]);
  });

  const retentions = ({ heaps }: Inventory): Readonly<Record<string, unknown>> =>
    Object.fromEntries(heaps.map(({ id, retention }) => [id, retention]));
  const NOTHING = { value: 'nothing', source: 'probe:VMSPLICE:EFAULT' };
  const VISIBLE = { value: 'visible', source: 'probe:MODE_MAP_DUMB' };

  it('finds out what a former holder can keep, and remembers it', async () => {
    const rig = rigOf();
    const expected = { 'dma-heap:system': NOTHING, 'drm-dumb:/dev/dri/card0': VISIBLE, memfd: undefined };
    expect(retentions(await rig.probe())).toEqual(expected);
    rig.kernel.pins = 'kept';
    expect(retentions(await rig.probe())).toEqual(expected);
    expect(rig.kernel.calls).toEqual([]);
  });

  it.each(['kept', 'not kept'] as const)('proves nothing where a page can be pinned (%s)', async (pins) => {
    const rig = rigOf();
    rig.kernel.pins = pins;
    expect(retentions(await rig.probe())['dma-heap:system']).toEqual({
      value: 'unknown',
      source: 'probe:VMSPLICE',
    });
    expect(rig.logged).toHaveLength(1);
  });

  it('proves nothing where the attack cannot be played, and tries again at the next start', async () => {
    const rig = rigOf();
    rig.kernel.pins = 'EPERM';
    expect(retentions(await rig.probe())['dma-heap:system']).toBeUndefined();
    rig.kernel.pins = 'refused';
    expect(retentions(await rig.probe())['dma-heap:system']).toEqual(NOTHING);
  });

  it.each([{ mapsElsewhere: true }, { isOnTtm: true }])(
    'does not trust a card whose objects end before their mappings do (%o)',
    async (driver) => {
      const rig = rigOf({ drivers: { drm: { card0: display('driver', driver) } } });
      expect(retentions(await rig.probe())['drm-dumb:/dev/dri/card0']).toEqual({
        value: 'unknown',
        source: 'probe:MODE_MAP_DUMB',
      });
    },
  );
});

describe('the class of a heap', () => {
  it.each(['reserved', 'linux,cma', 'default_cma_region', 'vendor-foo', 'secure'])(
    'is seen, whatever its name is (%s)',
    async (name) => {
      const rig = rigOf({ dmaHeaps: { [name]: true, other: false }, cma: 64n * MIB });
      expect(classes(await rig.probe())).toEqual(
        expect.arrayContaining([
          [name, 'contiguous', 'trial:CmaFree', 64n * MIB],
          ['other', 'scattered', 'trial:CmaFree', undefined],
        ]),
      );
    },
  );

  it('is as it was on a machine without CMA memory, where nothing is made for it', async () => {
    const rig = rigOf({ dmaHeaps: { reserved: false } });
    expect(classes(await rig.probe({ rules: () => ({ known: true, limits: [] }) }))).toEqual([
      ['reserved', 'scattered', 'kernel:/dev/dma_heap/reserved', undefined],
    ]);
    expect(rig.dmaHeap('reserved').sizes).toHaveLength(2);
  });

  it('stays scattered where the heap has too little to tell, and the log says so', async () => {
    const rig = rigOf({ dmaHeaps: { reserved: true }, cma: 5n * MIB });
    expect(classes(await rig.probe())).toEqual([
      ['reserved', 'scattered', 'kernel:/dev/dma_heap/reserved', undefined],
    ]);
    expect(rig.logged).toMatchObject([{ event: 'heap-class-unknown', heap: 'dma-heap:reserved' }]);
  });

  it('that the kernel publishes is not tried', async () => {
    const rig = rigOf({ dmaHeaps: { reserved: true }, cma: 64n * MIB });
    rig.tree.files({ '/sys/kernel/mm/cma/reserved/total_pages': '16384\n' });
    expect(classes(await rig.probe())).toEqual([
      ['reserved', 'contiguous', 'kernel:/sys/kernel/mm/cma/reserved', 64n * MIB],
    ]);
    expect(rig.dmaHeap('reserved').sizes).toHaveLength(2);
  });

  it('gives the total of CMA memory to no heap in particular where two share it', async () => {
    const rig = rigOf({ dmaHeaps: { a: true, b: true }, cma: 64n * MIB });
    expect(classes(await rig.probe()).map(([, value, , capacity]) => [value, capacity])).toEqual([
      ['contiguous', undefined],
      ['contiguous', undefined],
    ]);
  });
});

describe('what was tried before', () => {
  const whole: RigOptions = { policy: TRY, dmaHeaps: { system: false, reserved: true }, cma: 64n * MIB };
  /** Calls and buffers of a second probe. */
  const again = async (rig: TrialRig, store = rig.store) => {
    const made = rig.heaps.flatMap((heap) => ('sizes' in heap ? [...(heap.sizes as bigint[])] : [])).length;
    const inventory = await rig.probe({ store });
    const now = rig.heaps.flatMap((heap) => ('sizes' in heap ? [...(heap.sizes as bigint[])] : [])).length;
    return { inventory, calls: [...rig.kernel.calls], buffers: now - made };
  };

  it('is not tried again, on this start or the next', async () => {
    const rig = rigOf(whole);
    const file = (): CachingStore =>
      new CachingStore(new FileProbeStore(join(rig.tree.root, 'state'), { warn: () => undefined }));
    rig.store = file();
    const first = await rig.probe();
    for (const store of [rig.store, file()]) {
      const { inventory, calls, buffers } = await again(rig, store);
      expect({ calls, buffers }).toEqual({ calls: [], buffers: 0 });
      expect(inventory).toEqual(first);
    }
  });

  it('holds for a device that comes back under another node', async () => {
    const rig = rigOf(whole);
    await rig.probe();
    const published = await rig.published();
    rig.inventory = {
      ...published,
      devices: published.devices.map((device) =>
        device.node === '/dev/dri/card1' ? { ...device, node: '/dev/dri/card5', number: '226:5' } : device,
      ),
    };
    const { inventory, calls } = await again(rig);
    expect(calls).toEqual([]);
    expect(lines(inventory)).toContain('/dev/dri/card5 dma-heap:system no trial:PRIME_FD_TO_HANDLE:ENODEV');
  });

  it('is tried again on another kernel', async () => {
    const rig = rigOf(whole);
    await rig.probe();
    const published = await rig.published();
    rig.inventory = { ...published, machine: { ...published.machine, kernel: '6.99.0' } };
    expect((await again(rig)).calls).not.toEqual([]);
  });

  it('is tried when policy allows it later, and does not count when it allows it no more', async () => {
    const rig = rigOf({ ...whole, policy: '' });
    await rig.probe();
    rig.policy = TRY;
    const allowed = await again(rig);
    expect(allowed.calls.filter((call) => !call.startsWith('video0'))).toEqual([]);
    expect(allowed.calls).not.toEqual([]);
    rig.policy = '';
    const forbidden = await again(rig);
    expect(forbidden.calls).toEqual([]);
    expect(lines(forbidden.inventory).filter((line) => line.includes('video0'))).toEqual([]);
  });

  it('leaves what was not clear to the next time', async () => {
    const rig = rigOf({ dmaHeaps: { system: false, empty: false } });
    rig.dmaHeap('empty').faults = ['ENOMEM', 'ENOMEM', 'ENOMEM'];
    await rig.probe();
    const { inventory, calls } = await again(rig);
    expect(lines(inventory)).toContain('/dev/dri/card0 dma-heap:empty yes trial:ADDFB2');
    expect(calls.filter((call) => call.endsWith('importDmaBuf'))).toHaveLength(2);
  });

  it('is kept of devices that are not there now', async () => {
    const rig = rigOf(whole);
    await rig.probe();
    const published = await rig.published();
    const without = published.devices.filter(({ node }) => node !== '/dev/dri/card1');
    rig.inventory = { ...published, devices: without, machine: published.machine };
    rig.policy = `${TRY}[Device driver=other]\n`;
    await again(rig);
    rig.inventory = published;
    expect((await again(rig)).calls).toEqual([]);
  });
});

describe('what is new', () => {
  it('is tried alone, and what was known of the rest stays', async () => {
    const rig = rigOf();
    const before = await rig.probe({ only: new Set(['/dev/dri/card1']) });
    expect(rig.kernel.calls.every((call) => call.startsWith('card1'))).toBe(true);
    expect(lines(before)).toHaveLength(2);
    rig.inventory = before;
    const after = await rig.probe({ only: new Set(['/dev/dri/card0']) });
    // Its own memory is new to the others.
    expect(rig.kernel.calls.filter((call) => call.startsWith('card1'))).toEqual([]);
    expect(lines(after)).toEqual([
      '/dev/dri/card1 dma-heap:system no trial:PRIME_FD_TO_HANDLE:ENODEV',
      '/dev/dri/card0 dma-heap:system yes trial:ADDFB2',
      '/dev/dri/card0 drm-dumb:/dev/dri/card0 yes trial:ADDFB2',
      '/dev/dri/card1 drm-dumb:/dev/dri/card0 no trial:PRIME_FD_TO_HANDLE:ENODEV',
    ]);
  });

  it('brings its memory to the devices that were there', async () => {
    const rig = rigOf();
    rig.store = new CachingStore();
    await rig.probe({ only: new Set(['/dev/dri/card0']), store: new CachingStore() });
    const imports = rig.kernel.calls.filter((call) => call.endsWith('importDmaBuf'));
    expect(imports).toEqual(['card0 importDmaBuf', 'card0 importDmaBuf', 'card1 importDmaBuf']);
  });

  it('replaces what is gone', async () => {
    const rig = rigOf();
    const all = await rig.probe();
    rig.inventory = { ...all, devices: all.devices.filter(({ node }) => node !== '/dev/dri/card1') };
    const left = await rig.probe({ only: new Set() });
    expect(lines(left).every((line) => line.startsWith('/dev/dri/card0'))).toBe(true);
    expect(left.reach).toHaveLength(2);
  });

  it('leaves the class of a heap that was there alone', async () => {
    const rig = rigOf({ dmaHeaps: { old: true, new: true }, cma: 64n * MIB });
    const inventory = await rig.probe({ only: new Set(['/dev/dma_heap/new']) });
    expect(classes(inventory).map(([name, value]) => [name, value])).toEqual([
      ['new', 'contiguous'],
      ['old', 'scattered'],
    ]);
  });
});

describe('a failure', () => {
  const options: RigOptions = { policy: TRY, dmaHeaps: { system: false, reserved: true }, cma: 64n * MIB };

  it.each(['EIO', 'ENOMEM', 'ENODEV'] as const)(
    'of any call (%s) leaves nothing open, and no fact that is not true',
    async (errno) => {
      const rig = rigOf({ policy: TRY });
      const whole = lines(await rig.probe({ store: new CachingStore() }));
      const total = rig.kernel.calls.length;
      expect(total).toBeGreaterThan(20);
      for (let at = 0; at < total; at++) {
        rig.kernel.fault = { at, errno };
        const facts = lines(await rig.probe({ store: new CachingStore() }));
        const failed = rig.kernel.calls[at] ?? '';
        const [node = ''] = failed.split(' ');
        // Other devices know nothing of it.
        const others = (all: readonly string[]) => all.filter((line) => !line.includes(`/${node} `));
        expect(others(facts)).toEqual(others(whole));
        // A shortage says nothing of reach, and what was not given back was on closing.
        const added = facts.filter((line) => !whole.includes(line));
        if (errno === 'ENOMEM')
          expect([failed, added.filter((line) => line.includes(' no '))]).toEqual([failed, []]);
        const wasGivenBack = !/closeHandle|removeFramebuffer|REQBUFS \w+ 0/.test(failed);
        if (wasGivenBack) expect([failed, rig.kernel.left]).toEqual([failed, []]);
        rig.kernel.left.length = 0;
        expect(leftOpen(rig.tree.root)).toEqual([]);
        expect(buffersOpen()).toEqual([]);
      }
      rig.kernel.fault = undefined;
    },
  );

  it.each([0, 1, 2, 3, 4])('of any allocation (%i) leaves nothing behind', async (at) => {
    for (const name of ['system', 'reserved']) {
      const rig = rigOf(options);
      rig.dmaHeap(name).faults = [...Array.from({ length: at }, () => undefined), 'ENOMEM'];
      const { reach } = await rig.probe();
      expect(reach.every(({ reachable, device }) => reachable || device === '/dev/dri/card1')).toBe(true);
    }
  });

  it('that is a mistake of the daemon is not hidden, and leaves nothing open either', async () => {
    const rig = rigOf(options);
    await rig.published();
    rig.kernel.drm.addFramebuffer = () => Promise.reject(new RangeError('mine'));
    await expect(rig.probe()).rejects.toThrow('mine');
  });

  it('of the state directory costs the facts nothing', async () => {
    const rig = rigOf(options);
    const nowhere = join(rig.tree.root, 'proc/meminfo');
    const store = new FileProbeStore(nowhere, { warn: (details) => void rig.logged.push(details) });
    expect((await rig.probe({ store })).reach.length).toBeGreaterThan(0);
    expect(rig.logged).toHaveLength(1);
    rmSync(join(rig.tree.root, 'proc'), { recursive: true });
  });
});
