import { createBroker, type ClosableBroker } from '../../../daemon/broker/broker.js';
import type { BrokerEvents, Entry, NewRequest, Owner } from '../../../daemon/broker/broker-types.js';
import type { HeapFacts, Inventory } from '../../../daemon/devices/inventory.js';
import { GuardedHeap } from '../../../daemon/heaps/guarded-heap.js';
import type { Heap } from '../../../daemon/heaps/heap.js';
import type { DmaBufCalls } from '../../../daemon/kernel/kernel.js';
import type { Policy } from '../../../daemon/policy/policy.js';
import { MEMORY_CLASSES } from '../../../dbus/names.js';
import { FakeDmaBuf, FakeHeap, FakePressure } from '../fake-heap.js';
import { machine, policyOf } from '../machine.js';
import { ManualTimers } from '../manual-timers.js';

export const OWNER: Owner = { bus: 'a-bus', name: ':1.1', uid: 1000, groups: [], unit: 'app.scope' };
export const OTHER: Owner = { ...OWNER, name: ':1.2' };

/** Policy under which every pool holds 64 MiB. */
export const ROOMY = ['scattered', 'contiguous', 'plain']
  .map((memoryClass) => `[Pool ${memoryClass}]\nLimit=64M\n`)
  .join('');

/** Policy under which no pool keeps anything ready. */
const NOTHING_READY = MEMORY_CLASSES.map((memoryClass) => `[Pool ${memoryClass}]\nWarm=0\n`).join('');

export interface RigOptions {
  readonly inventory?: Inventory;
  /** Text of one file, or what was read. */
  readonly policy?: string | Policy;
  /** Whether pools keep buffers ready as policy says; nothing otherwise. */
  readonly warm?: boolean;
  readonly plainByPolicy?: boolean;
  /** Made in place of the fakes, where a test brings a kernel of its own. */
  readonly heapOf?: (facts: HeapFacts) => Heap;
  readonly dmaBufOf?: (fake: FakeDmaBuf) => DmaBufCalls;
}

interface Logged {
  readonly level: 'warn' | 'debug';
  readonly event?: string;
  readonly heap?: string;
}

export interface Rig {
  readonly broker: ClosableBroker;
  /** By heap id; the one that was last there. */
  readonly heap: (id: string) => FakeHeap;
  readonly dmaBuf: FakeDmaBuf;
  readonly pressure: FakePressure;
  readonly timers: ManualTimers;
  /** Names of the events, in their order. */
  readonly heard: string[];
  /** What the log was told: level and details, without the text. */
  readonly logged: Logged[];
  /** The machine becomes this one; a heap that was not there is another than any before. */
  readonly become: (inventory: Inventory, warnings?: readonly string[]) => void;
  /** What the next reload reads, or why it cannot. */
  readonly setPolicy: (policy: Policy | Error) => void;
}

/** One user may have all of a pool, unless the policy says otherwise: most tests are about one user. */
function withoutShares(policy: Policy): Policy {
  return {
    ...policy,
    pool: (...of) => {
      const rules = policy.pool(...of);
      const isSaid = rules.share.source !== 'policy:built-in';
      return isSaid ? rules : { ...rules, share: { ...rules.share, value: 100 } };
    },
  };
}

/** The real broker over heaps whose every call can be made to fail. */
export function makeRig({
  inventory = machine(),
  policy = ROOMY,
  warm = false,
  plainByPolicy = false,
  heapOf,
  dmaBufOf = (fake) => fake,
}: RigOptions = {}): Rig {
  const fakes = new Map<string, FakeHeap>();
  let heaps: readonly GuardedHeap[] = [];
  const heapsOf = (inventory: Inventory): readonly GuardedHeap[] => {
    heaps = inventory.heaps.map((facts) => {
      const { id, kind } = facts;
      const there = heaps.find((heap) => heap.id === id);
      if (there !== undefined) return there;
      if (heapOf !== undefined) return new GuardedHeap(heapOf(facts));
      const fake = new FakeHeap(id, kind !== 'memfd');
      fakes.set(id, fake);
      return new GuardedHeap(fake);
    });
    return heaps;
  };
  const dmaBuf = new FakeDmaBuf();
  const pressure = new FakePressure();
  const timers = new ManualTimers();
  const heard: string[] = [];
  const logged: Logged[] = [];
  let next: Policy | Error =
    typeof policy === 'string' ? policyOf(warm ? policy : `${policy}\n${NOTHING_READY}`) : policy;
  let random = 0;
  const log = (level: Logged['level'], details: object): void => void logged.push({ level, ...details });
  const broker = createBroker({
    inventory,
    heaps: heapsOf(inventory),
    warnings: ['a warning of the start'],
    policy: withoutShares(next),
    loadPolicy: () => (next instanceof Error ? Promise.reject(next) : Promise.resolve(withoutShares(next))),
    plainByPolicy,
    dmaBuf: dmaBufOf(dmaBuf),
    pressure,
    randomHex: (bytes) => (random++).toString(16).padStart(2 * bytes, '0'),
    now: () => 42n,
    later: timers.later,
    clock: timers.clock,
    log: {
      warn: (details) => {
        log('warn', details);
      },
      debug: (details) => {
        log('debug', details);
      },
    },
  });
  const events = new Proxy({} as BrokerEvents, {
    get: (_target, name) => () => void heard.push(String(name)),
  });
  broker.listen(events);
  return {
    broker,
    heap: (id) => {
      const found = fakes.get(id);
      if (found === undefined) throw new Error(`no heap ${id}`);
      return found;
    },
    dmaBuf,
    pressure,
    timers,
    heard,
    logged,
    become: (inventory, warnings = []) => {
      broker.adopt({ inventory, heaps: heapsOf(inventory), warnings });
    },
    setPolicy: (policy) => {
      next = policy;
    },
  };
}

export const entry = (device: string, more: Partial<Entry> = {}): Entry => ({ device, limits: {}, ...more });

/** An XR24 image of 64 × 64 for the CPU, unless said otherwise: four pages. */
export const image = (more: Partial<NewRequest> = {}): NewRequest => ({
  entries: [entry('cpu', { uses: ['read', 'write'] })],
  content: { format: 'XR24', width: 64, height: 64 },
  ...more,
});

export const bytes = (size: bigint, more: Partial<NewRequest> = {}): NewRequest => ({
  entries: [entry('cpu')],
  content: { size },
  ...more,
});
