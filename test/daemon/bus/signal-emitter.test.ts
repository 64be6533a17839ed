import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { SignalEmitter } from '../../../daemon/bus/signal-emitter.js';
import {
  allocationObject,
  ObjectTree,
  partyObject,
  poolObject,
  RootObject,
} from '../../../daemon/bus/objects.js';
import { brokerValues } from '../../../daemon/bus/views.js';
import type { AllocationView, PoolView } from '../../../daemon/broker/broker-types.js';
import type { PartyView } from '../../../daemon/broker/parties/party-types.js';
import { BusClosedError, type OutgoingSignal, type WireDict } from '../../../dbus/connection/bus-types.js';

const POOL: PoolView = {
  handle: 'ab',
  class: 'scattered',
  limit: 9n,
  live: 0n,
  warm: 0n,
  hits: 0n,
  misses: 0n,
};
const allocation = (id: string): AllocationView => ({
  id,
  owner: { bus: 'a-bus', name: ':1.7', uid: 1000, groups: [], unit: '' },
  label: '',
  layout: { size: 1n, count: 1, pool: 'ab', cpuAccess: 'cached' },
  size: 1n,
  created: 1n,
  state: 'held',
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** An announcer on the outermost edge: what it gives the connection is kept here. */
function rig(fail?: () => Error | undefined): {
  announcer: SignalEmitter;
  objects: ObjectTree;
  told: () => readonly string[];
  sent: OutgoingSignal[];
  lines: string[];
} {
  const sent: OutgoingSignal[] = [];
  const lines: string[] = [];
  const emit = (signal: OutgoingSignal): void => {
    const error = fail?.();
    if (error !== undefined) throw error;
    sent.push(signal);
  };
  const totals = { liveBytes: 0n, liveBuffers: 0, policyFiles: [], shortfalls: [], warnings: [] };
  const objects = new ObjectTree(new RootObject(() => brokerValues('1', totals)));
  const announcer = new SignalEmitter({
    bus: { emit },
    objects,
    logger: pino({}, { write: (line) => void lines.push(line) }),
    receivers: ({ owner }) => [owner.name],
  });
  const told = (): readonly string[] =>
    sent.map(({ member, body, path }) => {
      const about = member === 'PropertiesChanged' ? path : body?.[0];
      return `${member} ${typeof about === 'string' ? (about.split('/').at(-1) ?? '') : ''}`;
    });
  return { announcer, objects, told, sent, lines };
}

test('what came and went in a moment is not told; what stayed is, to its owner alone', () => {
  const { announcer, told, sent } = rig();
  const [brief, lasting] = [allocationObject(allocation('a')), allocationObject(allocation('b'))];
  announcer.added(brief);
  announcer.added(lasting);
  announcer.removed(brief);
  expect(sent).toEqual([]);
  vi.runAllTimers();
  expect(told()).toEqual(['InterfacesAdded b']);
  announcer.removed(lasting);
  vi.runAllTimers();
  expect(told()).toEqual(['InterfacesAdded b', 'InterfacesRemoved b']);
  expect(sent.map(({ destination }) => destination)).toEqual([':1.7', ':1.7']);
});

test('what somebody listed is told although it went in a moment', () => {
  const { announcer, told } = rig();
  const brief = allocationObject(allocation('a'));
  announcer.added(brief);
  announcer.listed();
  announcer.removed(brief);
  vi.runAllTimers();
  expect(told()).toEqual(['InterfacesAdded a', 'InterfacesRemoved a']);
});

test('changes are told together, from the first value to the last, and only what differs', () => {
  const { announcer, objects, sent } = rig();
  const change = (view: PoolView): void => {
    const before = objects.put(poolObject(view));
    if (before !== undefined) announcer.changed(before.path, before.values);
  };
  for (const view of [POOL, { ...POOL, live: 1n, warm: 1n }, { ...POOL, live: 2n }]) change(view);
  vi.runAllTimers();
  expect(sent).toHaveLength(1);
  const [first] = sent;
  expect(first?.body).toEqual(['org.dmabroker1.Pool', [['Live', { signature: 't', value: 2n }]], []]);
  expect(first).not.toHaveProperty('destination');
  change({ ...POOL, live: 3n });
  change({ ...POOL, live: 2n });
  vi.runAllTimers();
  expect(sent).toHaveLength(1);
  change({ ...POOL, live: 4n });
  vi.runAllTimers();
  expect((sent[1]?.body?.[1] as WireDict).map(([name]) => name)).toEqual(['Live']);
});

test('what changes of a party is told at once, because its program waits for other buffers', () => {
  const { announcer, objects, sent } = rig();
  const party = (generation: number): PartyView => ({
    id: 'p',
    owner: allocation('a').owner,
    state: generation === 2 ? 'waiting' : 'ready',
    generation,
    held: generation,
  });
  const change = (generation: number): void => {
    const before = objects.put(partyObject(party(generation)));
    if (before !== undefined) announcer.changed(before.path, before.values);
  };
  for (const generation of [1, 2, 3]) change(generation);
  // Less than a frame of a display at 60 Hz.
  vi.advanceTimersByTime(16);
  expect(sent.map(({ body }) => body?.[1])).toEqual([
    [
      ['Generation', { signature: 'u', value: 3 }],
      ['Held', { signature: 'u', value: 3 }],
    ],
  ]);
  change(4);
  const gone = objects.remove(partyObject(party(4)).path);
  if (gone !== undefined) announcer.removed(gone);
  vi.runAllTimers();
  expect(sent.map(({ member }) => member)).toEqual(['PropertiesChanged', 'InterfacesRemoved']);
});

test('of what is gone no change is told', () => {
  const { announcer, objects, told } = rig();
  const object = poolObject(POOL);
  objects.put(object);
  announcer.changed(object.path, object.values);
  objects.put(poolObject({ ...POOL, live: 1n }));
  objects.remove(object.path);
  announcer.removed(object);
  vi.runAllTimers();
  expect(told()).toEqual(['InterfacesRemoved ab']);
});

test('other work gets its turn between many signals, which keep their order', () => {
  const { announcer, told } = rig();
  const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
  for (const name of names) announcer.added(allocationObject(allocation(name)));
  vi.advanceTimersToNextTimer();
  expect(told().length).toBeGreaterThan(0);
  expect(told().length).toBeLessThan(50);
  vi.runAllTimers();
  expect(told()).toEqual(names.map((name) => `InterfacesAdded ${name}`));
});

test('a signal that cannot be sent is logged; a lost connection is not, and both leave the rest alone', () => {
  const errors = [new Error('no such type'), new BusClosedError('gone')];
  const { announcer, told, lines } = rig(() => errors.shift());
  for (const name of ['a', 'b', 'c']) announcer.added(allocationObject(allocation(name)));
  vi.runAllTimers();
  expect(told()).toEqual(['InterfacesAdded c']);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('no such type');
});

test('nothing is said after the end', () => {
  const { announcer, sent } = rig();
  for (let i = 0; i < 100; i += 1) announcer.added(allocationObject(allocation(`n${i}`)));
  vi.advanceTimersToNextTimer();
  const before = sent.length;
  announcer.close();
  announcer.added(poolObject(POOL));
  announcer.changed('/org/dmabroker1', () => ({}));
  vi.runAllTimers();
  expect(sent).toHaveLength(before);
  expect(vi.getTimerCount()).toBe(0);
});
