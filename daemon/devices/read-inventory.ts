import { isDeepStrictEqual } from 'node:util';

import type { Kernel } from '../kernel/kernel.js';
import { readSensors, SensorNotes, withSensors } from './camera-facts.js';
import { readReservedMemory } from './device-tree.js';
import { readDrm, type DrmNotes } from './drm-facts.js';
import type { HeapEvidence } from './heap-class.js';
import { readCmaRegions, readHeaps } from './heap-facts.js';
import {
  type Device,
  type HeapFacts,
  type Inventory,
  type Machine,
  CPU_DEVICE,
  MEMFD_HEAP,
} from './inventory.js';
import { readMachine } from './machine-facts.js';
import { readMemory, type RamReader } from './memory-facts.js';
import { NodeCache } from './node-cache.js';
import { KernelFiles } from './sysfs.js';
import { readV4l2 } from './v4l2-facts.js';

export interface InventoryOptions {
  /** Put before /sys, /dev and /proc; empty (or `/`) on the live machine. */
  readonly root: string;
  readonly kernel: Pick<Kernel, 'memory' | 'drm' | 'v4l2' | 'camera'>;
  /** Bytes of RAM of the live machine. */
  readonly ram: RamReader;
}

/** What the machine was at one reading. */
export interface Reading {
  readonly inventory: Inventory;
  /** By node, what tells its device or heap from another that takes its place; missing where no file stands. */
  readonly identities: ReadonlyMap<string, string>;
  /** Nodes to look at again soon: they could not be asked, or are just going. */
  readonly unsettled: ReadonlySet<string>;
}

/** What no device that comes or goes can change. */
interface MachineFacts {
  readonly machine: Machine;
  readonly evidence: HeapEvidence;
  readonly warnings: readonly string[];
}

/**
 * Reads what the kernel says of this machine: facts alone, without policy and without trials (`probes/probe.ts`). What
 * cannot be read is a warning with the name of the file, and never an error. Read again, it asks only the devices that
 * are new.
 */
export class InventoryReader {
  readonly #options: InventoryOptions;
  readonly #drm = new NodeCache<DrmNotes>();
  readonly #video = new NodeCache<Device>();
  readonly #sensors = new SensorNotes();
  readonly #heaps = new NodeCache<HeapFacts>();
  #machine: MachineFacts | undefined;
  /** By node. */
  #devices: ReadonlyMap<string, Device> = new Map();

  constructor(options: InventoryOptions) {
    this.#options = options;
  }

  /** @param displaysChanged whether displays of a primary node may have come or gone since the last reading */
  async read(displaysChanged: (node: string) => boolean = () => false): Promise<Reading> {
    const { root, kernel } = this.#options;
    this.#machine ??= await readMachineFacts(this.#options);
    const { machine, evidence, warnings: before } = this.#machine;
    const warnings = [...before];
    const files = new KernelFiles(root, (text) => warnings.push(text));
    const drm = await readDrm(files, kernel.drm, evidence.reserved, {
      nodeCache: this.#drm,
      displaysChanged,
    });
    const asked = await readV4l2(files, kernel, evidence.reserved, this.#video);
    const video = withSensors(asked, await readSensors(files, kernel, this.#sensors));
    const heaps = [
      ...(await readHeaps(files, kernel.memory, evidence, this.#heaps)),
      ...drm.heaps,
      MEMFD_HEAP,
    ];
    const devices = [CPU_DEVICE, ...drm.devices, ...video].map((device) => this.#sameOrNew(device));
    this.#devices = new Map(devices.map((device) => [device.node, device]));
    const nodeCaches = [this.#drm, this.#video, this.#heaps];
    return {
      inventory: { machine, devices, heaps, reach: [], warnings },
      identities: new Map(nodeCaches.flatMap(({ identities }) => identities)),
      unsettled: new Set([...nodeCaches, this.#sensors.nodeCache].flatMap(({ unsettled }) => unsettled)),
    };
  }

  /** A device of which nothing changed stays the same value, by which others know it. */
  #sameOrNew(device: Device): Device {
    const before = this.#devices.get(device.node);
    return before !== undefined && isDeepStrictEqual(before, device) ? before : device;
  }
}

/** One reading, for a caller that does not go on watching. */
export const readInventory = async (options: InventoryOptions): Promise<Inventory> =>
  (await new InventoryReader(options).read()).inventory;

async function readMachineFacts({ root, ram }: InventoryOptions): Promise<MachineFacts> {
  const warnings: string[] = [];
  const files = new KernelFiles(root, (text) => warnings.push(text));
  const isLive = /^\/*$/.test(root);
  const memory = await readMemory(files, ram, isLive);
  const evidence = {
    reserved: await readReservedMemory(files),
    regions: await readCmaRegions(files, memory.pageSize),
    cmaTotal: memory.cmaTotal,
    ...(memory.cmaTop && { cmaTop: memory.cmaTop }),
  };
  return { machine: await readMachine(files, memory), evidence, warnings };
}
