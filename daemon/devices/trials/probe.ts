import type { Heap } from '../../heaps/heap.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { DeviceRules } from '../../policy/policy.js';
import { withCmaTotal } from '../cma-capacity.js';
import type { Device, HeapFacts, Inventory, ReachFact } from '../inventory.js';
import { readMeminfo } from '../meminfo.js';
import { readPageSize } from '../page-size.js';
import { KernelFiles } from '../sysfs.js';
import { classesByTrial } from './classes.js';
import { heapKey, machineKey } from './keys.js';
import type { WarningLog } from '../../messages/log.js';
import { pairsOf, type Pair } from './pairs.js';
import { ProbeBuffers } from './probe-buffers.js';
import { tryDevice } from './reach-trials.js';
import { NOTHING_KNOWN, type TrialStore } from './record.js';
import { withRetention } from './retention.js';
import { TrialMemory } from './trial-memory.js';
import type { Verdict } from './verdict.js';

export interface ProbeOptions {
  readonly kernel: Pick<Kernel, 'memory' | 'dmaBuf' | 'drm' | 'v4l2'>;
  /** Put before every path. */
  readonly root: string;
  /** Those of the inventory that may be used, open (borrowed). */
  readonly heaps: readonly Heap[];
  readonly rules: (device: Device) => DeviceRules;
  /** Where earlier starts keep what they saw. */
  readonly store?: TrialStore;
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
  const memory = new TrialMemory((await options.store?.read(machine)) ?? NOTHING_KNOWN);
  const heaps = cmaTotal === 0n ? inventory.heaps : await classify(inventory, options, files, memory);
  const classified = { ...inventory, heaps: withCmaTotal(heaps, cmaTotal) };
  const known = { ...classified, heaps: await withRetention(classified, options, files, memory) };
  const reach = await reachByTrial(known, options, files, memory);
  if (memory.learned) await options.store?.write(machine, memory.record());
  return { ...known, reach };
}

async function classify(
  inventory: Inventory,
  { heaps, only, log }: ProbeOptions,
  files: KernelFiles,
  memory: TrialMemory,
): Promise<readonly HeapFacts[]> {
  const concerned = inventory.heaps.filter(({ node }) => only === undefined || only.has(node ?? ''));
  const keys = new Map(concerned.map((facts) => [facts.id, heapKey(facts)]));
  const known = new Map(
    [...keys].flatMap(([id, key]) => {
      const value = memory.class(key);
      return value === undefined ? [] : [[id, value] as const];
    }),
  );
  const classes = await classesByTrial(concerned, {
    heaps,
    known,
    log,
    free: async () => (await readMeminfo(files)).get('CmaFree'),
    pageSize: await readPageSize(files),
  });
  for (const [id, { value }] of classes) if (!known.has(id)) memory.learnClass(keys.get(id) ?? '', value);
  return inventory.heaps.map((facts) => ({ ...facts, class: classes.get(facts.id) ?? facts.class }));
}

async function reachByTrial(
  inventory: Inventory,
  { kernel, root, heaps, rules, only, log }: ProbeOptions,
  files: KernelFiles,
  memory: TrialMemory,
): Promise<readonly ReachFact[]> {
  const verdicts = new Map<Pair, readonly Verdict[]>();
  const missing = new Map<Device, Pair[]>();
  const all = await pairsOf(inventory, files, { heaps, rules, only });
  for (const pair of all) {
    const known = memory.reach(pair.key);
    if (known !== undefined) verdicts.set(pair, known);
    else missing.set(pair.device, [...(missing.get(pair.device) ?? []), pair]);
  }
  using buffers = new ProbeBuffers();
  for (const [device, pairs] of missing) {
    const its = pairs.map(({ heap }) => heap);
    const learned = await tryDevice(device, rules(device), its, { kernel, root, buffers, log });
    for (const pair of pairs) {
      const found = learned.get(pair.heap.id);
      if (found === undefined) continue;
      verdicts.set(pair, found.verdicts);
      memory.learnReach(pair.key, found);
    }
  }
  const facts = all.flatMap((pair) => factsOf(pair, verdicts.get(pair) ?? []));
  return [...stillTrue(inventory, verdicts.keys()), ...facts];
}

const factsOf = ({ device, heap }: Pair, verdicts: readonly Verdict[]): readonly ReachFact[] =>
  verdicts.map((verdict) => ({ device: device.node, heap: heap.id, ...verdict }));

/** Facts of pairs that were not tried now, and that are still there. */
function stillTrue({ devices, heaps, reach }: Inventory, tried: Iterable<Pair>): readonly ReachFact[] {
  const text = (device: string, heap: string): string => `${device} ${heap}`;
  const replaced = new Set([...tried].map(({ device, heap }) => text(device.node, heap.id)));
  const there = new Set([...devices.map(({ node }) => node), ...heaps.map(({ id }) => id)]);
  return reach.filter(
    ({ device, heap }) => !replaced.has(text(device, heap)) && there.has(device) && there.has(heap),
  );
}
