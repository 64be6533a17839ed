import { describe, expect, it } from 'vitest';

import { planPools, sizeContext } from '../../../daemon/sizing/plan.js';
import { CMA, GPU, heapFacts, machine, MEMFD, MIB, policyOf, SYSTEM } from '../machine.js';

const plan = (heaps = [CMA, MEMFD, SYSTEM], policy = ''): { heap: string; class: string }[] =>
  planPools(machine(heaps), policyOf(policy)).map((pool) => ({ heap: pool.heap.id, class: pool.class }));

describe('planPools', () => {
  it('puts ordinary memory before plain, and scarce memory last', () => {
    expect(plan()).toEqual([
      { heap: SYSTEM.id, class: 'scattered' },
      { heap: MEMFD.id, class: 'plain' },
      { heap: CMA.id, class: 'contiguous' },
    ]);
  });

  it("follows policy's order among heaps of one class, and the inventory's where policy says nothing", () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => heapFacts(`dma-heap:${name}`, { name }));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three heaps');
    const order = plan([a, b, c], '[Heap name=c]\nOrder=-1\n').map(({ heap }) => heap);
    expect(order).toEqual([c.id, a.id, b.id]);
  });

  it('leaves out what cannot be used and what policy does not use', () => {
    const broken = { ...CMA, usable: false, unusable: 'EACCES' };
    expect(plan([SYSTEM, broken, MEMFD], '[Heap name=memfd]\nUse=no\n')).toEqual([
      { heap: SYSTEM.id, class: 'scattered' },
    ]);
  });

  it("lets policy's class count, for the order and the limit too", () => {
    const text =
      '[Heap name=system]\nClass=contiguous\n[Pool contiguous]\nLimit=7M\n[Pool scattered]\nLimit=9M\n';
    const [first] = planPools(machine([SYSTEM]), policyOf(text));
    expect(first).toMatchObject({ class: 'contiguous', limit: { value: 7n * MIB } });
    expect(first?.limit.source).toBe('policy:/etc/dmabroker/dmabroker.conf:4');
  });

  it("says of a pool whose class policy's is, and that nobody looks into protected memory", () => {
    const [first] = planPools(machine([SYSTEM]), policyOf('[Heap name=system]\nClass=protected\n'));
    expect(first?.heap).toMatchObject({
      class: { value: 'protected', source: 'policy:/etc/dmabroker/dmabroker.conf:2' },
      cpuAccess: 'none',
    });
    expect(planPools(machine([SYSTEM]), policyOf(''))[0]?.heap).toBe(SYSTEM);
  });

  it("reckons a limit from the heap's capacity where it has one", () => {
    const plans = planPools(machine([CMA]), policyOf('[Pool contiguous]\nLimit=50% of heap\n'));
    expect(plans.map(({ limit }) => limit.value)).toEqual([32n * MIB]);
  });

  it('takes the lowest of what the kernel, policy and RAM say of addresses', () => {
    const bits = (policy: string, facts = SYSTEM): number | undefined =>
      planPools(machine([facts]), policyOf(policy))[0]?.addressBits;
    const below30 = { ...SYSTEM, addressBits: { value: 30, source: 'kernel:test' } };
    expect(bits('')).toBe(32);
    expect(bits('[Heap name=system]\nAddressBits=31\n')).toBe(31);
    expect(bits('[Heap name=system]\nAddressBits=31\n', below30)).toBe(30);
    expect(bits('[Heap name=system]\nAddressBits=64\n')).toBe(32);
  });

  it("keeps a driver's own memory where its device reaches", () => {
    const dumb = heapFacts('drm-dumb:/dev/dri/card0', { kind: 'drm-dumb', node: '/dev/dri/card0' });
    const gpu = { ...GPU, dmaMaskBits: { value: 30, source: 'kernel:test' } };
    const bits = (heap: typeof dumb): number | undefined =>
      planPools(machine([heap], [gpu]), policyOf(''))[0]?.addressBits;
    expect(bits(dumb)).toBe(30);
    expect(bits({ ...dumb, node: '/dev/dri/card1' })).toBe(32);
    expect(bits({ ...dumb, kind: 'dma-heap' })).toBe(32);
  });

  it("puts a display's own memory behind the CMA heap where it is CMA memory as well", () => {
    const dumb = heapFacts('drm-dumb:/dev/dri/card0', {
      kind: 'drm-dumb',
      node: GPU.node,
      class: { value: 'device', source: 'kernel:test' },
    });
    const order = (policy: string): readonly string[] =>
      planPools(machine([CMA, dumb, SYSTEM], [GPU]), policyOf(policy)).map((pool) => pool.class);
    expect(order('')).toEqual(['scattered', 'device', 'contiguous']);
    expect(order('[Device driver=testdrm]\nContiguous=yes\n')).toEqual(['scattered', 'contiguous', 'device']);
  });

  it('keeps what a platform device allocates in one piece below 4 GiB, or where a rule says', () => {
    const dumb = heapFacts('drm-dumb:/dev/dri/card0', {
      kind: 'drm-dumb',
      node: GPU.node,
      class: { value: 'device', source: 'kernel:test' },
    });
    const large = machine([dumb], [GPU]);
    const inventory = {
      ...large,
      machine: { ...large.machine, ramTop: { value: 1n << 34n, source: 'kernel:test' } },
    };
    const bits = (policy: string): number | undefined =>
      planPools(inventory, policyOf(`[Device driver=testdrm]\n${policy}`))[0]?.addressBits;
    expect(bits('')).toBe(34);
    expect(bits('Contiguous=yes\n')).toBe(32);
    expect(bits('Contiguous=yes\nAddressBits=30\n')).toBe(30);
    expect(bits('Contiguous=yes\nAddressBits=36\n')).toBe(34);
  });

  it('keeps nothing ready of a heap whose buffers are made as the picture', () => {
    const [pool] = planPools(
      machine([SYSTEM]),
      policyOf('[Pool scattered]\nWarm=4M\n[Heap system]\nGeometry=yes\n'),
    );
    expect(pool?.geometry).toBe(true);
    expect(pool?.warm).toEqual({ value: 0n, source: 'policy:/etc/dmabroker/dmabroker.conf:4' });
  });

  it.each([
    [0n, 64],
    [1n, 1],
    [1n << 32n, 32],
    [(1n << 32n) + 1n, 33],
    [1n << 40n, 40],
  ])('counts the bits of addresses below %i', (top, bits) => {
    const inventory = machine([SYSTEM]);
    const ramTop = { value: top, source: 'kernel:test' };
    const [pool] = planPools({ ...inventory, machine: { ...inventory.machine, ramTop } }, policyOf(''));
    expect(pool?.addressBits).toBe(bits);
  });
});

describe('sizeContext', () => {
  it('has the RAM and the frame of the machine', () => {
    expect(sizeContext(machine())).toEqual({ ram: 1024n * MIB, frame: { width: 1920, height: 1080 } });
  });
});
