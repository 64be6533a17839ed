import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

import { expect, onTestFinished, test } from 'vitest';

import type { InterfaceTable } from '../../daemon/bus/contract.js';
import { type Device, CPU_DEVICE } from '../../daemon/devices/inventory.js';
import type { IncomingSignal, WireDict, WireValue } from '../../dbus/connection/bus-types.js';
import { devicePath, poolPath, ROOT_PATH } from '../../dbus/names.js';
import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';
import { CAMERA, CMA, GPU, machine, MEMFD, policyOf, SYSTEM } from '../daemon/machine.js';
import { serveRig, until, type Client, type ServeRig } from '../daemon/bus/serve-rig.js';
import { device, dict, t, u, v } from '../daemon/bus/wire.js';
import { readIntrospection, type IntrospectedNode } from './introspection-reader.js';

const FILE = readIntrospection(
  readFileSync(new URL('../../dbus/org.dmabroker1.xml', import.meta.url), 'utf8'),
);
const nodesOf = (node: IntrospectedNode): readonly IntrospectedNode[] => [
  node,
  ...node.children.flatMap(nodesOf),
];
const TABLES: readonly InterfaceTable[] = nodesOf(FILE).flatMap(({ interfaces }) => interfaces);

/** `Pool.Live`, as far as the annotation is this. */
const propertiesThat = (changes: 'const' | 'true'): readonly string[] =>
  TABLES.flatMap(({ name, properties }) =>
    Object.entries(properties)
      .filter(([, property]) => property.changes === changes)
      .map(([property]) => `${name.split('.').at(-1) ?? ''}.${property}`),
  );

const PAGE = 4096n;
/** A policy that keeps buffers ready, and has room. */
const ROOM = '[Pool scattered]\nLimit=64M\nWarm=16M\n';

/** A service, an administrator who hears all of it, and what was allocated last. */
class Scene {
  readonly rig: ServeRig;
  readonly client: Client;
  path = '';
  fds: readonly OwnedFd[] = [];

  constructor(rig: ServeRig, client: Client) {
    this.rig = rig;
    this.client = client;
  }

  get pool(): string {
    return poolPath(this.rig.broker.pools().find((pool) => pool.class === 'scattered')?.handle ?? '');
  }

  async allocate(): Promise<void> {
    const body = [[device('cpu')], dict({ size: t(PAGE) })];
    const { body: results, fds } = await this.client.call('Allocate', 'a(sa{sv})a{sv}', body);
    this.path = typeof results[0] === 'string' ? results[0] : '';
    this.fds = fds;
  }

  async release(): Promise<void> {
    closeAll(this.fds);
    await this.client.call('Release', 'o', [this.path]);
  }

  async extend(): Promise<void> {
    const body = [[], dict({ extends: v('o', this.path), count: u(1) })];
    closeAll((await this.client.call('Allocate', 'a(sa{sv})a{sv}', body)).fds);
  }

  /** Begins a negotiation. */
  async negotiate(): Promise<void> {
    const body = [dict({ size: t(PAGE) }), []];
    const [path] = (await this.client.call('Negotiate', 'a{sv}a{sv}', body)).body;
    this.path = typeof path === 'string' ? path : '';
  }

  /** Has the negotiation come to an end: there are buffers. */
  async agree(): Promise<void> {
    await this.negotiate();
    await told(this);
    const where = { path: this.path, interface: 'org.dmabroker1.Party' };
    await this.client.call('Constrain', 'aa(sa{sv})a{sv}', [[[device('cpu')]], []], where);
    closeAll((await this.client.call('Buffers', 'u', [0], where)).fds);
  }

  async policy(text: string, file?: string): Promise<void> {
    this.rig.setPolicy(policyOf(`${ROOM}${text}`, file));
    await this.client.call('Reload');
  }

  async openChannel(): Promise<void> {
    const { fds } = await this.client.call('OpenChannel', 'a{sv}', [[]]);
    onTestFinished(() => {
      closeAll(fds);
    });
  }

  /** The GPU becomes a little different, as when a second node of it appears or its driver answers late. */
  gpu(facts: Partial<Device>): Promise<void> {
    this.rig.become(machine([SYSTEM, CMA, MEMFD], [CPU_DEVICE, { ...GPU, ...facts }, CAMERA]));
    return Promise.resolve();
  }
}

const GPU_PATH = devicePath(GPU.node);
const root = (): string => ROOT_PATH;
const gpu = (): string => GPU_PATH;
const pool = (scene: Scene): string => scene.pool;
const allocation = (scene: Scene): string => scene.path;

/** For every property that tells of its changes: at which object, and what changes it. */
const CHANGES: Readonly<
  Record<string, readonly [at: (scene: Scene) => string, change: (scene: Scene) => Promise<void>]>
> = {
  'Broker.LiveBytes': [root, (scene) => scene.allocate()],
  'Broker.LiveBuffers': [root, (scene) => scene.allocate()],
  'Broker.Channels': [root, (scene) => scene.openChannel()],
  'Broker.PolicyFiles': [root, (scene) => scene.policy('', '/etc/dmabroker/other.conf')],
  'Broker.Shortfalls': [root, (scene) => scene.policy('[Pool contiguous]\nLimit=512M\n')],
  'Broker.Warnings': [root, (scene) => scene.policy('[Broker]\nCamraFrames=1\n')],
  'Device.OtherNodes': [
    gpu,
    (scene) => scene.gpu({ otherNodes: ['/dev/dri/renderD128', '/dev/dri/renderD129'] }),
  ],
  'Device.Driver': [gpu, (scene) => scene.gpu({ driver: 'another' })],
  'Device.Name': [gpu, (scene) => scene.gpu({ name: 'a name that came late' })],
  'Device.Uses': [gpu, (scene) => scene.gpu({ uses: ['scanout'] })],
  'Device.Formats': [gpu, (scene) => scene.gpu({ formats: [] })],
  'Device.Constraints': [gpu, (scene) => scene.policy('[Device driver=testdrm]\nPitchMultiple=128\n')],
  'Device.Pools': [gpu, (scene) => scene.policy('[Heap name=reserved]\nUse=no\n')],
  'Pool.Limit': [
    pool,
    async ({ client, pool: path }) => {
      await client.call('SetPoolLimit', 'st', [path.split('/').at(-1) ?? '', 32n << 20n]);
    },
  ],
  'Pool.Live': [pool, (scene) => scene.allocate()],
  'Pool.Warm': [
    pool,
    async (scene) => {
      await scene.allocate();
      await scene.release();
    },
  ],
  'Pool.Hits': [
    pool,
    async (scene) => {
      await scene.allocate();
      await scene.release();
      const ready = (): bigint =>
        scene.rig.broker.pools().find((each) => poolPath(each.handle) === scene.pool)?.warm ?? 0n;
      await until(() => {
        expect(ready()).toBeGreaterThan(0n);
      });
      await scene.allocate();
    },
  ],
  'Pool.Misses': [pool, (scene) => scene.allocate()],
  'Allocation.Layout': [
    allocation,
    async (scene) => {
      await scene.allocate();
      await told(scene);
      await scene.extend();
    },
  ],
  'Allocation.Size': [
    allocation,
    async (scene) => {
      await scene.allocate();
      await told(scene);
      await scene.extend();
    },
  ],
  'Allocation.State': [
    allocation,
    async (scene) => {
      await scene.allocate();
      await told(scene);
      for (const fd of scene.fds) scene.rig.dmaBuf.busy.add(scene.rig.dmaBuf.inode(fd.number));
      await scene.release();
    },
  ],
  'Party.State': [allocation, (scene) => scene.agree()],
  'Party.Generation': [allocation, (scene) => scene.agree()],
  'Party.Held': [allocation, (scene) => scene.agree()],
};

/** What came to the client, by the time a scene needs it. */
const heardBy = new WeakMap<Client, readonly IncomingSignal[]>();

/** Waits until it was told that the allocation is there; only then its changes are told one by one. */
const told = ({ client, path }: Scene): Promise<void> =>
  until(() => {
    expect(
      heardBy.get(client)?.some(({ member, body }) => member === 'InterfacesAdded' && body[0] === path),
    ).toBe(true);
  });

/** Properties that a signal about an object gave, with their values. */
const changedIn = (signals: readonly IncomingSignal[], path: string): WireDict =>
  signals
    .filter((signal) => signal.member === 'PropertiesChanged' && signal.path === path)
    .flatMap(({ body }) => body[1] as WireDict);

const valueOf = (value: WireValue | undefined): WireValue | undefined =>
  typeof value === 'object' && 'value' in value ? value.value : value;

async function scene(): Promise<{ readonly scene: Scene; readonly heard: readonly IncomingSignal[] }> {
  const rig = await serveRig({ policy: ROOM, warm: true });
  const client = await rig.client(0);
  await client.call('GetManagedObjects', '', [], { interface: 'org.freedesktop.DBus.ObjectManager' });
  const heard = await client.signals();
  heardBy.set(client, heard);
  return { scene: new Scene(rig, client), heard };
}

test('every property that says so is tried', () => {
  expect(Object.keys(CHANGES).toSorted()).toEqual(propertiesThat('true').toSorted());
});

test.each(Object.entries(CHANGES))('%s is told when it changes', async (name, [at, change]) => {
  const [kind = '', property = ''] = name.split('.');
  const { scene: here, heard } = await scene();
  await change(here);
  const path = at(here);
  const last = (): WireValue | undefined =>
    valueOf(changedIn(heard, path).findLast(([key]) => key === property)?.[1]);
  await until(() => {
    expect(last()).not.toBe(undefined);
  });
  const agrees = async (): Promise<boolean> =>
    isDeepStrictEqual(await here.client.get(path, `org.dmabroker1.${kind}`, property), last());
  await expect.poll(agrees).toBe(true);
  // What is said to stay never comes in a signal, whatever else changes.
  const constant = propertiesThat('const')
    .filter((each) => each.startsWith(`${kind}.`))
    .map((each) => each.slice(kind.length + 1));
  expect(changedIn(heard, path).filter(([key]) => constant.some((each) => each === key))).toEqual([]);
});
