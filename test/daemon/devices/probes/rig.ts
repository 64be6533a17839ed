import { readdirSync, readlinkSync } from 'node:fs';

import type { Device, Inventory } from '../../../../daemon/devices/inventory.js';
import { readInventory } from '../../../../daemon/devices/read-inventory.js';
import { probe, type ProbeOptions } from '../../../../daemon/devices/probes/probe.js';
import { CachingStore } from '../../../../daemon/devices/probes/probe-record.js';
import { V4L2_CAP } from '../../../../daemon/kernel/v4l2.js';
import { FakeKernel, type FakeDrivers, type FakeDrm } from '../../../tools/fake-drivers.js';
import { SysfsTree } from '../../../tools/sysfs-tree.js';
import { FakeHeap } from '../../fake-heap.js';
import { policyOf } from '../../machine.js';
import { CmaMachine, type CmaHeap } from './cma-machine.js';

const MIB = 1024n * 1024n;
const raw = [{ fourcc: 'YUYV', description: '', compressed: false }];

export const display = (name: string, more: Partial<FakeDrm> = {}): FakeDrm => ({
  name,
  capabilities: { PRIME: 3n, DUMB_BUFFER: 1n },
  dumbPitch: (width, bits) => (width * bits) / 8,
  display: {
    crtcs: 1,
    max: 8192,
    planes: [{ possibleCrtcs: 1, formats: ['XR24'] }],
    connectors: [],
  },
  ...more,
});

/** A display that takes everything, a GPU that refuses foreign memory, and a camera. */
export const DRIVERS: FakeDrivers = {
  drm: {
    card0: display('vkms'),
    card1: { name: 'refuser', capabilities: { PRIME: 3n }, imports: () => 'ENODEV' },
  },
  video: {
    video0: {
      driver: 'vivid',
      card: 'vivid',
      capabilities: V4L2_CAP.VIDEO_CAPTURE,
      queues: { capture: raw },
      set: {
        capture: {
          fourcc: 'YUYV',
          width: 640,
          height: 480,
          planes: [{ bytesPerLine: 1280, size: 614_400 }],
        },
      },
    },
  },
};

export interface RigOptions {
  readonly drivers?: FakeDrivers;
  readonly policy?: string;
  /** Names of dma-heaps, with whether their memory is from CMA. */
  readonly dmaHeaps?: Readonly<Record<string, boolean>>;
  /** Bytes of CMA memory. */
  readonly cma?: bigint;
}

/** A machine of files, fake drivers and heaps, and what trials make of it. */
export class TrialRig implements Disposable {
  readonly tree = new SysfsTree();
  readonly kernel: FakeKernel;
  readonly heaps: FakeHeap[] = [];
  /** Details of the warnings, without their texts. */
  readonly logged: object[] = [];
  readonly cma: CmaMachine;
  store = new CachingStore();
  policy: string;
  inventory: Inventory | undefined;

  constructor({ drivers = DRIVERS, policy = '', dmaHeaps = { system: false }, cma = 0n }: RigOptions = {}) {
    this.policy = policy;
    this.kernel = new FakeKernel(drivers);
    for (const [i, name] of Object.keys(drivers.drm ?? {}).entries())
      this.tree.drm(name, `226:${i}`, `/sys/devices/platform/${drivers.drm?.[name]?.name ?? name}`);
    for (const [i, name] of Object.keys(drivers.video ?? {}).entries())
      this.tree.video(name, `81:${i}`, `/sys/devices/platform/${drivers.video?.[name]?.driver ?? name}`);
    for (const name of Object.keys(dmaHeaps)) this.tree.files({ [`/dev/dma_heap/${name}`]: '' });
    this.tree.memory();
    const kib = (bytes: bigint): string => `${bytes / 1024n} kB`;
    this.cma = new CmaMachine(cma, (free) => {
      const meminfo = `MemTotal: 1000000 kB\nCmaTotal: ${kib(cma)}\nCmaFree: ${kib(free)}\n`;
      this.tree.files({ '/proc/meminfo': meminfo });
    });
    for (const [name, fromCma] of Object.entries(dmaHeaps))
      this.heaps.push(this.cma.heap(`dma-heap:${name}`, fromCma));
    for (const [name, { capabilities }] of Object.entries(drivers.drm ?? {}))
      if (capabilities?.DUMB_BUFFER === 1n) this.heaps.push(new FakeHeap(`drm-dumb:/dev/dri/${name}`));
  }

  dmaHeap(name: string): CmaHeap {
    return this.heaps.find(({ id }) => id === `dma-heap:${name}`) as CmaHeap;
  }

  /** What the machine publishes; read once, unless it changed. */
  async published(): Promise<Inventory> {
    this.inventory ??= await readInventory({
      root: this.tree.root,
      kernel: this.kernel,
      ram: () => Promise.resolve(Number(1024n * MIB)),
    });
    return this.inventory;
  }

  async probe(more: Partial<ProbeOptions> = {}): Promise<Inventory> {
    const inventory = await this.published();
    const policy = policyOf(this.policy);
    this.kernel.calls.length = 0;
    return probe(inventory, {
      kernel: this.kernel,
      root: this.tree.root,
      heaps: this.heaps,
      rules: (device: Device) => policy.device(device),
      store: this.store,
      log: { warn: (details) => void this.logged.push(details) },
      ...more,
    });
  }

  [Symbol.dispose](): void {
    this.tree[Symbol.dispose]();
  }
}

/** Each fact of a reach map as one line: `/dev/dri/card0 dma-heap:system yes trial:ADDFB2`. */
export const lines = ({ reach }: Inventory): readonly string[] =>
  reach.map(({ device, heap, reachable, source, uses = [] }) =>
    [device, heap, reachable ? 'yes' : 'no', source, ...uses].join(' '),
  );

/** Descriptors of this process that are buffers, or nodes of a rig. */
export const leftOpen = (root: string): readonly string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(root) || target.includes('(deleted)') ? [target] : [];
    } catch {
      return [];
    }
  });
