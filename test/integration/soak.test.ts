import { fstatSync } from 'node:fs';

import { expect, it, vi } from 'vitest';

import { connectBus } from '../../dbus/connection/bus.js';
import type { Bus, Reply, WireDict, WireValue } from '../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../dbus/names.js';
import { closeAll } from '../../dbus/owned-fd.js';
import { startDaemon } from '../harness/daemon.js';
import { expectNoNewFds, openFds } from '../harness/leaks.js';
import { measure, MEASURABLE, slope, type MemorySample } from '../harness/memory-growth.js';
import { startBus } from '../harness/private-bus.js';
import { NOTHING_READY, writePolicy } from '../harness/root-policy.js';
import { PROFILE, TemporaryDirectory } from './rig.js';
import { until } from './until.js';

const ROUNDS = 6;
const PER_ROUND = 10_000;
const CONNECTIONS = 4;
const MOST_IN_FLIGHT = 32;
const TIMEOUT = 170_000;

/** A leak of the smallest object is 16 bytes each time and more with what leads to it; what is held must not grow. */
const HELD_PER_ALLOCATION = 12;
/** V8's reserve and the allocator's fragments come and go by some MiB. */
const ANONYMOUS_PER_ALLOCATION = 400;

const REQUEST = 'a(sa{sv})a{sv}';
const u = (value: number): WireValue => ({ signature: 'u', value });

interface Demand {
  readonly buffer: WireDict;
  readonly count: number;
  /** Bytes that each buffer has at least. */
  readonly size: number;
}

const PAGE: Demand = { buffer: [['size', { signature: 't', value: 4096n }]], count: 1, size: 4096 };
const IMAGE_KEYS: WireDict = [
  ['width', u(32)],
  ['height', u(32)],
  ['format', { signature: 's', value: 'XR24' }],
];
const IMAGE: Demand = { buffer: IMAGE_KEYS, count: 1, size: 32 * 32 * 4 };
const several = ({ buffer, size }: Demand, count: number): Demand => ({
  buffer: [...buffer, ['count', u(count)]],
  count,
  size,
});
const DEMANDS = [PAGE, IMAGE, PAGE, IMAGE, PAGE, IMAGE, several(PAGE, 3), several(IMAGE, 2)] as const;

const broker = (bus: Bus, member: string, signature: string, body: readonly WireValue[]): Promise<Reply> =>
  bus.call({ destination: BUS_NAME, path: ROOT_PATH, interface: BROKER_INTERFACE, member, signature, body });

const demandOf = (index: number): Demand => DEMANDS[index % DEMANDS.length] ?? PAGE;

/** Allocates and looks at each buffer. @returns path of the allocation */
async function allocate(bus: Bus, { buffer, count, size }: Demand): Promise<WireValue> {
  const { body, fds } = await broker(bus, 'Allocate', REQUEST, [[['cpu', []]], buffer]);
  try {
    const files = fds.map((fd) => fstatSync(fd.number));
    if (new Set(files.map(({ ino }) => ino)).size !== count)
      throw new Error(`${count} buffers were asked, ${fds.length} fds came`);
    if (files.some((file) => file.size < size)) throw new Error('a buffer is too small');
  } finally {
    closeAll(fds);
  }
  return body[0] ?? '';
}

async function lifecycle(bus: Bus, index: number): Promise<void> {
  const demand = demandOf(index);
  if (index % 50 === 0) await broker(bus, 'Explain', REQUEST, [[['cpu', []]], demand.buffer]);
  const path = await allocate(bus, demand);
  await broker(bus, 'Release', 'o', [path]);
}

/** Runs lifecycles with 1, 2, … 32, 1, … of them in flight. */
async function round(address: string): Promise<void> {
  const buses = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectBus(address)));
  const busOf = (index: number): Bus => {
    const bus = buses[index % CONNECTIONS];
    if (bus === undefined) throw new Error('there is no connection');
    return bus;
  };
  let done = 0;
  for (let inFlight = 1; done < PER_ROUND; inFlight = (inFlight % MOST_IN_FLIGHT) + 1) {
    const batch = Math.min(inFlight, PER_ROUND - done);
    const first = done;
    await Promise.all(Array.from({ length: batch }, (_, i) => lifecycle(busOf(first + i), first + i)));
    done += batch;
  }
  // What their owners do not release ends with them.
  await Promise.all(buses.map((bus, i) => allocate(bus, demandOf(i))));
  await Promise.all(buses.map((bus) => bus.close()));
}

async function liveBytes(bus: Bus): Promise<unknown> {
  const { body } = await bus.call({
    destination: BUS_NAME,
    path: ROOT_PATH,
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Get',
    signature: 'ss',
    body: [BROKER_INTERFACE, 'LiveBytes'],
  });
  return body[0];
}

it(
  'serves 60,000 allocations without an error, and keeps nothing of them',
  { timeout: TIMEOUT },
  async () => {
    using root = new TemporaryDirectory();
    writePolicy(root.path, NOTHING_READY);
    await using bus = await startBus();
    await using daemon = await startDaemon({
      bus,
      args: ['--profile', PROFILE, '--root', root.path],
      env: MEASURABLE,
    });
    const watcher = await connectBus(bus.address);
    await allocate(watcher, PAGE).then((path) => broker(watcher, 'Release', 'o', [path]));
    const fdsBefore = openFds(daemon.pid);
    const ours = openFds();
    const samples: MemorySample[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      await round(bus.address);
      await vi.waitFor(async () => {
        expect(await liveBytes(watcher)).toEqual({ signature: 't', value: 0n });
      });
      await expectNoNewFds(fdsBefore, { pid: daemon.pid });
      samples.push(await measure(daemon, until));
    }
    await expectNoNewFds(ours);
    const perAllocation = (values: readonly number[]): number => slope(values) / PER_ROUND;
    const grown = JSON.stringify(samples);
    expect(perAllocation(samples.map(({ held }) => held)), grown).toBeLessThan(HELD_PER_ALLOCATION);
    expect(perAllocation(samples.map(({ anonymous }) => anonymous)), grown).toBeLessThan(
      ANONYMOUS_PER_ALLOCATION,
    );
    // But that the machine is a profile, which it says when it starts.
    expect(daemon.log()).not.toMatch(/"level":(?:40|50|60),"time":\d+,"event":"(?!warning")/);
    await watcher.close();
  },
);
