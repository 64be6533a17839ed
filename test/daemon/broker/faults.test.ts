import { writeSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import type { Granted, NewRequest, Owner } from '../../../daemon/broker/broker-types.js';
import { bufferBytesOpen, buffersOpen, type FailingCall, type Fault, PAGE } from '../fake-heap.js';
import { CMA, machine, MEMFD, SYSTEM } from '../machine.js';
import { bytes, entry, makeRig, OWNER, type Rig } from './rig.js';

/** What a test knows of one grant, apart from the broker: who has it, and how many buffers of how many pages. */
interface Held {
  readonly granted: Granted;
  readonly owner: number;
  readonly bytes: bigint;
  readonly inodes: readonly bigint[];
  /** Whether the broker's side has let it go. */
  released: boolean;
}

type Step =
  | {
      do: 'allocate';
      owner: number;
      pages: number;
      count: number;
      faults: (Fault | undefined)[];
      meanwhile: 'nothing' | 'owner leaves' | 'heaps go';
    }
  | {
      do: 'extend';
      owner: number;
      which: number;
      count: number;
      faults: (Fault | undefined)[];
      meanwhile: 'nothing' | 'owner leaves' | 'heaps go';
    }
  | { do: 'fail'; call: FailingCall }
  | { do: 'no descriptor'; after: number }
  | { do: 'release' | 'undo' | 'client closes'; which: number }
  | { do: 'owner leaves'; owner: number }
  | { do: 'heap comes or goes'; heap: string };

const ownerAt = (n: number): Owner => ({ ...OWNER, name: `:1.${n}` });

const HEAPS = [SYSTEM, MEMFD, CMA];
/** What each pool may hold, and may keep ready where the stock is under test. */
const POOLS = [
  ['scattered', '48K'],
  ['plain', '24K'],
  ['contiguous', '16K'],
] as const;
const READY = 12n * 1024n;

/** The same steps for the broker and for a model that only counts. */
class Run {
  readonly rig: Rig;
  readonly #warm: boolean;
  readonly #requests = new Map<string, NewRequest>();
  held: Held[] = [];
  /** Heap ids. */
  readonly #gone = new Set<string>();

  constructor(warm: boolean) {
    this.#warm = warm;
    const sections = POOLS.map(([name, limit]) => `[Pool ${name}]\nLimit=${limit}\nWarm=${READY}\n`);
    this.rig = makeRig({ inventory: machine(HEAPS), policy: sections.join(''), warm });
  }

  /** The same again for what was asked before, so that it can be served at once. */
  #request({ pages, count }: { readonly pages: number; readonly count: number }): NewRequest {
    const key = `${pages} ${count}`;
    const known = this.#requests.get(key);
    if (known !== undefined) return known;
    const request = bytes(BigInt(pages) * PAGE, { count, label: 'x', entries: [entry('cpu')] });
    this.#requests.set(key, request);
    return request;
  }

  async step(step: Step): Promise<void> {
    const { broker } = this.rig;
    switch (step.do) {
      case 'allocate': {
        const request = this.#request(step);
        await this.#make(step, () => broker.allocate(ownerAt(step.owner), request));
        break;
      }
      case 'extend': {
        const id = this.#pick(step.which)?.granted.allocation.id ?? 'none';
        await this.#make(step, () =>
          broker.allocate(ownerAt(step.owner), { extends: id, count: step.count }),
        );
        break;
      }
      case 'fail':
        this.rig.dmaBuf.fail.add(step.call);
        break;
      case 'no descriptor':
        for (const { id } of HEAPS) this.rig.heap(id).lastDescriptorIn = step.after;
        break;
      case 'release': {
        const held = this.#pick(step.which);
        if (held === undefined) break;
        const { id } = held.granted.allocation;
        const isHeld = this.held.some((other) => other.granted.allocation.id === id && !other.released);
        const release = (): void => {
          broker.release(ownerAt(held.owner), id, false);
        };
        if (isHeld) release();
        else expect(release).toThrow(expect.objectContaining({ code: 'UnknownAllocation' }));
        for (const other of this.held) other.released ||= other.granted.allocation.id === id;
        break;
      }
      case 'undo': {
        const held = this.#pick(step.which);
        if (held === undefined) break;
        broker.undo(held.granted);
        held.released = true;
        break;
      }
      case 'client closes': {
        const held = this.#pick(step.which);
        if (held !== undefined) closeAll(held.granted.fds);
        break;
      }
      case 'owner leaves':
        broker.ownerLeft(OWNER.bus, ownerAt(step.owner).name);
        this.#letGo(step.owner);
        break;
      case 'heap comes or goes':
        if (!this.#gone.delete(step.heap)) this.#gone.add(step.heap);
        this.rig.become(machine(HEAPS.filter(({ id }) => !this.#gone.has(id))));
        break;
    }
  }

  /** Everything that the broker counts is what the model counts, and no descriptor is open for nobody. */
  async check(): Promise<void> {
    const { broker, timers } = this.rig;
    timers.pass(3000);
    const live = this.held.filter((held) => isLive(held));
    const buffers = live.reduce((sum, { granted }) => sum + granted.fds.length, 0);
    const liveBytes = live.reduce((sum, held) => sum + held.bytes, 0n);
    expect(broker.totals()).toMatchObject({ liveBytes, liveBuffers: buffers });
    for (const { handle, live: counted } of broker.pools()) {
      const its = live.filter(({ granted }) => granted.layout.pool === handle);
      expect(counted).toBe(its.reduce((sum, held) => sum + held.bytes, 0n));
    }
    for (const pool of broker.pools()) expect(pool.live <= pool.limit).toBe(true);
    const clients = this.held.flatMap(({ granted }) => granted.fds).filter(({ open }) => open);
    if (this.#warm) this.#checkStock(live, clients);
    else
      await vi.waitFor(() => {
        expect(buffersOpen()).toHaveLength(buffers + clients.length);
      });
    expect(new Set(broker.allocations().map(({ id }) => id))).toEqual(
      new Set(live.map(({ granted }) => granted.allocation.id)),
    );
  }

  async finish(): Promise<void> {
    for (const { granted } of this.held) closeAll(granted.fds);
    for (let owner = 0; owner < 3; owner += 1) await this.step({ do: 'owner leaves', owner });
    await this.check();
    expect(this.rig.broker.totals().liveBytes).toBe(0n);
    if (!this.#warm) expect(this.rig.timers.pending).toBe(0);
    this.rig.broker.close();
    expect(this.rig.timers.pending).toBe(0);
    await vi.waitFor(() => {
      expect(buffersOpen()).toEqual([]);
    });
  }

  /** What is open beside the buffers that somebody has lies ready, or soon will, and is no more than it may be. */
  #checkStock(live: readonly Held[], clients: readonly OwnedFd[]): void {
    const { broker, dmaBuf } = this.rig;
    const had = new Set([
      ...live.flatMap(({ inodes }) => inodes),
      ...clients.map((fd) => dmaBuf.inode(fd.number)),
    ]);
    const stock = bufferBytesOpen((inode) => !had.has(inode));
    const ready = broker.pools().reduce((sum, { warm }) => sum + warm, 0n);
    expect(ready <= stock).toBe(true);
    for (const { live, warm, limit } of broker.pools())
      expect(warm <= READY && live + warm <= limit).toBe(true);
  }

  async #make(
    { owner, faults, meanwhile }: Pick<Step & { do: 'allocate' }, 'owner' | 'faults' | 'meanwhile'>,
    make: () => Granted | Promise<Granted>,
  ): Promise<void> {
    const heaps = HEAPS.map(({ id }) => this.rig.heap(id));
    for (const heap of heaps) heap.faults = [...faults];
    let isAtOnce = false;
    const request = new Promise<Granted>((resolve) => {
      const given = make();
      isAtOnce = !(given instanceof Promise);
      resolve(given);
    }).catch((error: unknown) => {
      expect(error).toMatchObject({ name: 'BrokerError' });
    });
    if (meanwhile === 'owner leaves') await this.step({ do: 'owner leaves', owner });
    if (meanwhile === 'heaps go') await this.#heapsGo();
    const granted = await request;
    for (const heap of heaps) heap.faults = [];
    if (granted === undefined) return;
    // Whoever leaves is given nothing any more; what was given at once was given before.
    const hasLeft = meanwhile === 'owner leaves';
    if (hasLeft) expect(isAtOnce).toBe(true);
    const { layout, fds } = granted;
    const pages = (layout.size + PAGE - 1n) / PAGE;
    const { dmaBuf } = this.rig;
    for (const { number } of fds) {
      expect(dmaBuf.isZero(number)).toBe(true);
      writeSync(number, 'what nobody else may see');
    }
    this.held.push({
      granted,
      owner,
      bytes: pages * PAGE * BigInt(fds.length),
      inodes: fds.map(({ number }) => dmaBuf.inode(number)),
      released: hasLeft,
    });
  }

  /** Whatever gives memory to a request goes, one after the other, while it runs. */
  async #heapsGo(): Promise<void> {
    for (const { id } of [SYSTEM, CMA]) {
      if (this.#gone.has(id)) continue;
      await new Promise((resolve) => setImmediate(resolve));
      await this.step({ do: 'heap comes or goes', heap: id });
    }
  }

  #letGo(owner: number): void {
    for (const held of this.held) held.released ||= held.owner === owner;
  }

  #pick(which: number): Held | undefined {
    return this.held[which % Math.max(this.held.length, 1)];
  }
}

const isLive = ({ released, granted }: Held): boolean => !released || granted.fds.some(({ open }) => open);

const owner = fc.nat(2);
const which = fc.nat(20);
const faults = fc.oneof(
  { weight: 3, arbitrary: fc.constant<(Fault | undefined)[]>([]) },
  {
    weight: 2,
    arbitrary: fc.array(fc.constantFrom<(Fault | undefined)[]>(undefined, 'ENOMEM', 'EMFILE', 'EINVAL'), {
      maxLength: 4,
    }),
  },
);
const meanwhile = fc.oneof(
  { weight: 6, arbitrary: fc.constant('nothing' as const) },
  { weight: 1, arbitrary: fc.constantFrom('owner leaves' as const, 'heaps go' as const) },
);
const count = fc.integer({ min: 1, max: 4 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('allocate' as const),
      owner,
      pages: fc.integer({ min: 1, max: 3 }),
      count,
      faults,
      meanwhile,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('extend' as const), owner, which, count, faults, meanwhile }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      call: fc.constantFrom<FailingCall[]>('size', 'references', 'signalled', 'setName', 'clear'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('no descriptor' as const), after: fc.nat(3) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('release' as const, 'undo' as const, 'client closes' as const),
      which,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('owner leaves' as const), owner }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('heap comes or goes' as const),
      heap: fc.constantFrom(SYSTEM.id, CMA.id),
    }),
  },
);

describe('whatever fails', () => {
  it.each([
    ['nothing', false],
    ['buffers', true],
  ])(
    'leaves descriptors, ledger and pools that keep %s ready as if the request had never come',
    async (_what, warm) => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
          const run = new Run(warm);
          for (const step of steps) {
            await run.step(step);
            await run.check();
          }
          await run.finish();
        }),
        { numRuns: 100 },
      );
    },
    // Seconds of work, on a machine that may be busy.
    120_000,
  );
});
