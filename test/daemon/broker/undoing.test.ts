import { setImmediate as nextTurn } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import type { ExtendRequest, Granted, NewRequest } from '../../../daemon/broker/broker-types.js';
import { DmaHeap } from '../../../daemon/heaps/dma-heap.js';
import type { Heap } from '../../../daemon/heaps/heap.js';
import { MemfdHeap } from '../../../daemon/heaps/memfd.js';
import { UdmabufHeap } from '../../../daemon/heaps/udmabuf.js';
import type { HeapFacts } from '../../../daemon/devices/inventory.js';
import { BrokerError } from '../../../dbus/errors.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { faultyDmaBuf, faultyMemory, Faults, REFUSALS, type Mishap } from '../../harness/faults.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import { PAGE } from '../fake-heap.js';
import { fact, heapFacts, machine, MEMFD, SYSTEM } from '../machine.js';
import { entry, image, makeRig, OWNER, type Rig } from './rig.js';

const UDMABUF = heapFacts('udmabuf', { kind: 'udmabuf', name: 'udmabuf', class: fact('scattered') });
const MISHAPS: readonly Mishap[] = [...REFUSALS, 'gone'];

/** Room for what one round asks and no byte more, so that whatever is not undone refuses the next. */
const EXACT = [
  '[Quota]\nBuffers=6\nClientBuffers=6\nUnitBuffers=6\nBytes=48K\nClientBytes=48K\nUnitBytes=48K\n',
  ...['scattered', 'plain'].map((memoryClass) => `[Pool ${memoryClass}]\nLimit=96K\nWarm=48K\n`),
].join('');

/** A broker over the real heaps of a kernel that fails as it is told to. */
function rigOf(mishaps: ReadonlyMap<number, Mishap>, warm: boolean): { rig: Rig; faults: Faults } {
  const faults = new Faults(mishaps, () => {
    rig.broker.ownerLeft(OWNER.bus, OWNER.name);
  });
  const memory = faultyMemory(faults);
  const heapOf = ({ id, kind }: HeapFacts): Heap => {
    if (kind === 'memfd') return new MemfdHeap(id, memory, PAGE);
    const node = memory.openNode('');
    return kind === 'udmabuf' ? new UdmabufHeap(id, node, memory, PAGE) : new DmaHeap(id, node, memory);
  };
  const rig = makeRig({
    inventory: machine([SYSTEM, UDMABUF, MEMFD]),
    policy: EXACT,
    warm,
    heapOf,
    dmaBufOf: (fake) => faultyDmaBuf(faults, fake),
  });
  return { rig, faults };
}

/** Allocates and sends the reply as the bus would; undone when that fails. */
async function call(
  rig: Rig,
  faults: Faults,
  request: NewRequest | ExtendRequest,
): Promise<Granted | undefined> {
  let granted;
  try {
    granted = await rig.broker.allocate(OWNER, request);
  } catch (error) {
    // Whatever the kernel said, a client gets an error of the contract.
    expect(error).toBeInstanceOf(BrokerError);
    return undefined;
  }
  try {
    faults.pass('reply');
    return granted;
  } catch {
    rig.broker.undo(granted);
    return undefined;
  } finally {
    closeAll(granted.fds);
  }
}

/** Images in one descriptor each, or with one for each plane: 48 KiB in all of three. */
const CONTENTS = {
  together: { content: { format: 'XR24', width: 64, height: 64 } },
  apart: {
    content: { format: 'NV12', width: 64, height: 128 },
    entries: [entry('cpu', { uses: ['read'], limits: { 'planes-apart': true } })],
  },
} as const;
type Content = keyof typeof CONTENTS;

/** Two buffers, one more, and the end. @returns whether all of it was given */
async function round(rig: Rig, faults: Faults, content: Content): Promise<boolean> {
  const first = await call(rig, faults, image({ ...CONTENTS[content], count: 2, label: 'a frame' }));
  const id = first?.allocation.id;
  const more = id === undefined ? undefined : await call(rig, faults, { extends: id, count: 1 });
  if (
    id !== undefined &&
    rig.broker.allocations().some(({ id: held, state }) => held === id && state === 'held')
  )
    rig.broker.release(OWNER, id, false);
  return more !== undefined;
}

/** Lets everything happen that waits for time to pass. */
async function settle(rig: Rig): Promise<void> {
  for (let turn = 0; turn < 400; turn += 1) {
    rig.timers.pass(10);
    await nextTurn();
    if (
      turn > 20 &&
      rig.broker.totals().liveBuffers === 0 &&
      !rig.broker.pools().some(({ live }) => live > 0n)
    )
      return;
  }
}

/** What is there of one round in which some calls fail, and whether another one goes through afterwards. */
async function outcome(
  mishaps: ReadonlyMap<number, Mishap>,
  warm: boolean,
  content: Content = 'together',
): Promise<readonly string[]> {
  const before = openFds();
  const { rig, faults } = rigOf(mishaps, warm);
  await round(rig, faults, content);
  await settle(rig);
  const { calls } = faults;
  const { liveBytes, liveBuffers } = rig.broker.totals();
  expect({ liveBytes, liveBuffers }).toEqual({ liveBytes: 0n, liveBuffers: 0 });
  expect(rig.broker.allocations()).toEqual([]);
  for (const { live, warm: ready, class: memoryClass } of rig.broker.pools()) {
    expect(live, memoryClass).toBe(0n);
    expect(ready, memoryClass).toBeLessThanOrEqual(48n << 10n);
  }
  const seen = [...calls];
  faults.end();
  expect(await round(rig, faults, content), `after ${seen.join(' ')}`).toBe(true);
  await settle(rig);
  rig.broker.close();
  await expectNoNewFds(before);
  return seen;
}

describe.each([
  ['nothing lies ready', false],
  ['buffers lie ready', true],
])('where %s', (_, warm) => {
  test('every call on the way of an allocation is counted', async () => {
    const calls = new Set(await outcome(new Map(), warm));
    for (const call of ['allocateDmaHeap', 'size', 'dup', 'setName', 'reply', 'references', 'signalled'])
      expect([...calls]).toContain(call);
  });

  test.each(['together', 'apart'] as const)(
    'any one of them can fail, in any way, and nothing is left of it, with planes %s',
    { timeout: 60_000 },
    async (content) => {
      const { length } = await outcome(new Map(), warm, content);
      for (const mishap of MISHAPS)
        for (let at = 0; at < length; at += 1) await outcome(new Map([[at, mishap]]), warm, content);
    },
  );

  test('any two of them can', { timeout: 120_000 }, async () => {
    const { length } = await outcome(new Map(), warm);
    for (let first = 0; first < length; first += 1)
      for (let second = first + 1; second < length + 4; second += 1)
        for (const [i, mishap] of MISHAPS.entries()) {
          const other = MISHAPS[(i + second) % MISHAPS.length] ?? 'gone';
          await outcome(
            new Map([
              [first, mishap],
              [second, other],
            ]),
            warm,
          );
        }
  });
});
