import type { Heap } from '../../heaps/heap.js';
import type { DeviceRules } from '../../policy/policy.js';
import type { Device, HeapFacts, Inventory } from '../inventory.js';
import type { KernelFiles } from '../sysfs.js';
import { deviceKey, heapKey, pairKey } from './keys.js';
import { mayBeTried } from './reach-trials.js';

/** A device and a heap that are tried together. */
export interface Pair {
  readonly device: Device;
  readonly heap: Heap;
  /** Under which what is learned is kept. */
  readonly key: string;
}

export interface PairOptions {
  readonly heaps: readonly Heap[];
  readonly rules: (device: Device) => DeviceRules;
  readonly only: ReadonlySet<string> | undefined;
}

/** Every device that may be tried with every heap that is open, its own memory too, device by device. */
export async function pairsOf(
  inventory: Inventory,
  files: KernelFiles,
  { heaps, rules, only }: PairOptions,
): Promise<readonly Pair[]> {
  const opened = inventory.heaps.flatMap((facts) => {
    const heap = facts.kind === 'memfd' ? undefined : heaps.find(({ id }) => id === facts.id);
    return heap === undefined ? [] : [{ facts, heap }];
  });
  const isNew = ({ node }: Device, { node: of }: HeapFacts): boolean =>
    only === undefined || only.has(node) || (of !== undefined && only.has(of));
  const devices = inventory.devices.filter((device) => mayBeTried(device, rules(device)));
  const keys = new Map(
    await Promise.all(devices.map(async (device) => [device.node, await deviceKey(files, device)] as const)),
  );
  return devices.flatMap((device) =>
    opened
      .filter(({ facts }) => isNew(device, facts))
      .map(({ facts, heap }) => {
        const owner = facts.kind === 'drm-dumb' ? keys.get(facts.node ?? '') : undefined;
        const isOwn = owner !== undefined && facts.node === device.node;
        const key = pairKey(keys.get(device.node) ?? '', heapKey(facts, isOwn ? 'own' : owner));
        return { device, heap, key };
      }),
  );
}
