import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { SignalEmitter } from '../../../daemon/bus/signal-emitter.js';
import { followBroker } from '../../../daemon/bus/server.js';
import { ObjectTree, RootObject } from '../../../daemon/bus/objects.js';
import { brokerValues } from '../../../daemon/bus/views.js';
import type { DeviceView, PoolView } from '../../../daemon/broker/broker-types.js';
import type { OutgoingSignal } from '../../../dbus/connection/bus-types.js';
import { devicePath, poolPath, ROOT_PATH } from '../../../dbus/names.js';
import { CAMERA } from '../machine.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const CAMERA_VIEW: DeviceView = { device: CAMERA, constraints: [], pools: [] };
const POOL: PoolView = { handle: 'ab', class: 'plain', limit: 9n, live: 0n, warm: 0n, hits: 0n, misses: 0n };

test('devices and pools come, change and go, and whoever may see anything sees them', () => {
  const sent: OutgoingSignal[] = [];
  const root = new RootObject(() => ({}));
  const objects = new ObjectTree(root);
  const announcer = new SignalEmitter({
    bus: { emit: (signal) => void sent.push(signal) },
    objects,
    logger: pino({ enabled: false }),
    receivers: () => [],
  });
  const events = followBroker(objects, root, announcer);
  const [camera, pool] = [devicePath(CAMERA.node), poolPath(POOL.handle)];
  const told = (): readonly unknown[] => {
    vi.runAllTimers();
    return sent.splice(0).map(({ member, path, body }) => [member, path, body?.[0]]);
  };

  events.deviceAdded(CAMERA_VIEW);
  events.poolAdded(POOL);
  expect(told()).toEqual([
    ['InterfacesAdded', ROOT_PATH, camera],
    ['InterfacesAdded', ROOT_PATH, pool],
  ]);
  expect(objects.visible({ name: ':1.1', uid: 1000, seesOthers: false }).map(({ path }) => path)).toEqual([
    camera,
    pool,
  ]);

  events.deviceChanged({ ...CAMERA_VIEW, pools: ['ab'] });
  events.poolChanged(POOL);
  expect(told()).toEqual([['PropertiesChanged', camera, 'org.dmabroker1.Device']]);

  events.deviceRemoved(CAMERA_VIEW);
  events.deviceRemoved(CAMERA_VIEW);
  events.poolRemoved(POOL);
  expect(told()).toEqual([
    ['InterfacesRemoved', ROOT_PATH, camera],
    ['InterfacesRemoved', ROOT_PATH, pool],
  ]);
  expect(objects.visible({ name: ':1.1', uid: 0, seesOthers: true })).toEqual([]);
});

test('totals are reckoned when somebody wants them, not with every change', () => {
  const sent: OutgoingSignal[] = [];
  let liveBytes = 0n;
  let reckoned = 0;
  const root = new RootObject(() => {
    reckoned += 1;
    return brokerValues('1', { liveBytes, liveBuffers: 0, policyFiles: [], shortfalls: [], warnings: [] });
  });
  const objects = new ObjectTree(root);
  const announcer = new SignalEmitter({
    bus: { emit: (signal) => void sent.push(signal) },
    objects,
    logger: pino({ enabled: false }),
    receivers: () => [],
  });
  const events = followBroker(objects, root, announcer);
  reckoned = 0;
  for (liveBytes = 1n; liveBytes < 100n; liveBytes += 1n) events.totalsChanged();
  expect(reckoned).toBe(0);
  expect(root.values()['LiveBytes']).toBe(100n);
  liveBytes = 200n;
  events.totalsChanged();
  vi.runAllTimers();
  expect(reckoned).toBe(2);
  expect(sent.map(({ body }) => body)).toEqual([
    ['org.dmabroker1.Broker', [['LiveBytes', { signature: 't', value: 200n }]], []],
  ]);
});
