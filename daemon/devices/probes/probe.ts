import type { Heap } from '../../heaps/heap.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { DeviceRules } from '../../policy/policy.js';
import type { WarningLog } from '../../base/log.js';
import { cmaBits, withCmaTotal } from '../heap-class.js';
import type { Device, HeapFacts, Inventory, ReachFact } from '../inventory.js';
import { readMeminfo, readPageSize } from '../memory-facts.js';
import { KernelFiles } from '../sysfs.js';
import { classesByProbe } from './heap-classes.js';
import { heapKey, machineKey, deviceKey, pairKey } from './keys.js';
import { ProbeBuffers } from './probe-buffers.js';
import { tryDevice, mayBeTried } from './reach-probes.js';
import { NOTHING_KNOWN, type ProbeStore } from './probe-record.js';
import { withRetention } from './retention.js';
import { ProbeHistory } from './probe-history.js';
import type { ProbeResult } from './result.js';

export interface ProbeOptions {
  readonly kernel: Pick<Kernel, 'memory' | 'dmaBuf' | 'drm' | 'v4l2'>;
  /** Put before every path. */
  readonly root: string;
  /** Those of the inventory that may be used, open (borrowed). */
  readonly heaps: readonly Heap[];
  readonly rules: (device: Device) => DeviceRules;
  /** Where earlier starts keep what they saw. */
  readonly store?: ProbeStore;
  readonly log?: WarningLog;
  /** Nodes of the devices and heaps that are new: what the inventory says of all others stays as it is. */
  readonly only?: ReadonlySet<string>;
}

/**
 * Tries what the kernel publishes nothing of: which heaps each device reaches, which heaps' memory is contiguous, and what a
 * former holder of a buffer can keep of it. What is kept of an earlier start is not tried again. Everything that is made for it is given back.
 * @returns the inventory with `reach` and the heaps' classes filled in. The failure of a device or a heap leaves its facts
 * out and is said in the log
 */
export async function probe(inventory: Inventory, options: ProbeOptions): Promise<Inventory> {
  // What cannot be read here was warned of when the inventory was.
  const files = new KernelFiles(options.root, () => undefined);
  const cmaTotal = (await readMeminfo(files)).get('CmaTotal') ?? 0n;
  const machine = machineKey(inventory.machine, cmaTotal);
  const memory = new ProbeHistory((await options.store?.read(machine)) ?? NOTHING_KNOWN);
  const heaps = cmaTotal === 0n ? inventory.heaps : await classify(inventory, options, files, memory);
  const classified = { ...inventory, heaps: withCmaTotal(heaps, cmaTotal) };
  const known = { ...classified, heaps: await withRetention(classified, options, files, memory) };
  const reach = await reachByProbe(known, options, files, memory);
  if (memory.changed) await options.store?.write(machine, memory.record());
  return { ...known, reach };
}

async function classify(
  inventory: Inventory,
  { heaps, only, log }: ProbeOptions,
  files: KernelFiles,
  memory: ProbeHistory,
): Promise<readonly HeapFacts[]> {
  const concerned = inventory.heaps.filter(({ node }) => only === undefined || only.has(node ?? ''));
  const keys = new Map(concerned.map((facts) => [facts.id, heapKey(facts)]));
  const known = new Map(
    [...keys].flatMap(([id, key]) => {
      const value = memory.class(key);
      return value === undefined ? [] : [[id, value] as const];
    }),
  );
  const classes = await classesByProbe(concerned, {
    heaps,
    known,
    log,
    free: async () => (await readMeminfo(files)).get('CmaFree'),
    pageSize: await readPageSize(files),
  });
  for (const [id, { value }] of classes) if (!known.has(id)) memory.addClass(keys.get(id) ?? '', value);
  return inventory.heaps.map((facts) => {
    const found = classes.get(facts.id);
    if (found?.value !== 'contiguous') return { ...facts, class: found ?? facts.class };
    return { ...cmaBits(inventory.machine.cmaTop), ...facts, class: found };
  });
}

async function reachByProbe(
  inventory: Inventory,
  { kernel, root, heaps, rules, only, log }: ProbeOptions,
  files: KernelFiles,
  memory: ProbeHistory,
): Promise<readonly ReachFact[]> {
  const results = new Map<Pair, readonly ProbeResult[]>();
  const missing = new Map<Device, Pair[]>();
  const all = await pairsOf(inventory, files, { heaps, rules, only });
  for (const pair of all) {
    const known = memory.reach(pair.key);
    if (known !== undefined) results.set(pair, known);
    else missing.set(pair.device, [...(missing.get(pair.device) ?? []), pair]);
  }
  using buffers = new ProbeBuffers();
  for (const [device, pairs] of missing) {
    const its = pairs.map(({ heap }) => heap);
    const probed = await tryDevice(device, rules(device), its, { kernel, root, buffers, log });
    for (const pair of pairs) {
      const found = probed.get(pair.heap.id);
      if (found === undefined) continue;
      results.set(pair, found.results);
      memory.addReach(pair.key, found);
    }
  }
  const facts = all.flatMap((pair) => factsOf(pair, results.get(pair) ?? []));
  return [...stillTrue(inventory, results.keys()), ...facts];
}

const factsOf = ({ device, heap }: Pair, results: readonly ProbeResult[]): readonly ReachFact[] =>
  results.map((result) => ({ device: device.node, heap: heap.id, ...result }));

/** Facts of pairs that were not tried now, and that are still there. */
function stillTrue({ devices, heaps, reach }: Inventory, tried: Iterable<Pair>): readonly ReachFact[] {
  const text = (device: string, heap: string): string => `${device} ${heap}`;
  const replaced = new Set([...tried].map(({ device, heap }) => text(device.node, heap.id)));
  const there = new Set([...devices.map(({ node }) => node), ...heaps.map(({ id }) => id)]);
  return reach.filter(
    ({ device, heap }) => !replaced.has(text(device, heap)) && there.has(device) && there.has(heap),
  );
}

/** A device and a heap that are tried together. */
interface Pair {
  readonly device: Device;
  readonly heap: Heap;
  /** Under which what is learned is kept. */
  readonly key: string;
}

interface PairOptions {
  readonly heaps: readonly Heap[];
  readonly rules: (device: Device) => DeviceRules;
  readonly only: ReadonlySet<string> | undefined;
}

/** Every device that may be tried with every heap that is open, its own memory too, device by device. */
async function pairsOf(
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
