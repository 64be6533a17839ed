import { openSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { requestName } from '../../../dbus/connection/bus.js';
import type { Reply, WireDict, WireValue } from '../../../dbus/connection/bus-types.js';
import { allocationPath, ROOT_PATH } from '../../../dbus/names.js';
import { closeAll, OwnedFd } from '../../../dbus/owned-fd.js';
import { busKinds, permissiveConfig } from '../../harness/private-bus.js';
import { RawClient } from '../../harness/raw-client.js';
import { CALL, field, marshal } from '../../harness/raw-message.js';
import { bytes, OWNER } from '../broker/rig.js';
import { PAGE } from '../fake-heap.js';
import { refusalOf, serveRig, until, type Client, type ServeRig } from './serve-rig.js';
import { device, dict, IMAGE, t, text, u, v, type Keys } from './wire.js';

const PAGE_OF_MEMORY: Keys = { size: t(1n) };

/** Allocates for the CPU and gives the path back; the fds are closed unless somebody wants them. */
async function allocate(client: Client, keys: Keys = PAGE_OF_MEMORY, use = closeAll): Promise<string> {
  const reply = await request(client, 'Allocate', keys);
  use(reply.fds);
  return text(reply.body[0]);
}

const request = async (client: Client, member: string, keys: Keys): Promise<Reply> =>
  client.call(member, 'a(sa{sv})a{sv}', [[device('cpu')], dict(keys)]);

const extend = async (client: Client, path: string, count = 1): Promise<Reply> =>
  client.call('Allocate', 'a(sa{sv})a{sv}', [[], dict({ extends: v('o', path), count: u(count) })]);

/** A received `a{sv}` as an object. */
function object(value: WireValue | undefined): Record<string, WireValue> {
  const entries = (value ?? []) as unknown as WireDict;
  return Object.fromEntries(
    entries.map(([key, held]) => [
      text(key),
      typeof held === 'object' && 'value' in held ? held.value : held,
    ]),
  );
}

describe('Allocate', () => {
  test('gives one fd a buffer, the layout, and an object', async () => {
    const rig = await serveRig();
    const client = await rig.client();
    const { signature, body, fds } = await request(client, 'Allocate', { ...IMAGE, count: u(2) });
    expect(signature).toBe('oa{sv}ah');
    expect(fds).toHaveLength(2);
    for (const fd of fds) expect(rig.dmaBuf.size(fd.number)).toBe(300n * PAGE);
    closeAll(fds);
    const [pool] = rig.broker.pools();
    expect(object(body[1])).toEqual({
      format: 'XR24',
      modifier: 0n,
      width: 640,
      height: 480,
      planes: [[0n, 2560]],
      size: 1_228_800n,
      count: 2,
      pool: pool?.handle,
      'cpu-access': 'cached',
    });
    const [view] = rig.broker.allocations();
    const { uniqueName: name } = client.bus;
    expect(view?.owner).toMatchObject({ bus: rig.bus.id, name, uid: 1000, groups: [], unit: '' });
    const path = text(body[0]);
    expect(path).toBe(allocationPath(view?.id ?? ''));
    expect(await client.get(path, 'org.dmabroker1.Allocation', 'Size')).toBe(600n * PAGE);
  });

  test('takes more buffers into the same object', async () => {
    const rig = await serveRig();
    const client = await rig.client();
    const path = await allocate(client);
    const { body, fds } = await extend(client, path, 2);
    closeAll(fds);
    expect(fds).toHaveLength(2);
    expect(body[0]).toBe(path);
    expect(await client.get(path, 'org.dmabroker1.Allocation', 'Size')).toBe(3n * PAGE);
  });

  test('is refused with the name of the contract', async () => {
    const client = await (await serveRig()).client();
    const unknown = client.call('Allocate', 'a(sa{sv})a{sv}', [
      [device('/dev/../etc')],
      dict(PAGE_OF_MEMORY),
    ]);
    expect((await refusalOf(unknown)).name).toBe('org.dmabroker1.Error.UnknownDevice');
    expect(await refusalOf(request(client, 'Allocate', { size: u(1) }))).toEqual({
      name: 'org.dmabroker1.Error.InvalidRequest',
      message: expect.stringMatching(/^buffer size: .*"u".*\bt\b/) as string,
    });
    const foreign = extend(client, allocationPath('0'));
    expect((await refusalOf(foreign)).name).toBe('org.dmabroker1.Error.UnknownAllocation');
  });

  test('that wants no reply gets nothing', async () => {
    const rig = await serveRig();
    const raw = await RawClient.connect(rig.address);
    const fields = [
      field.path(ROOT_PATH),
      field.interface('org.dmabroker1.Broker'),
      field.member('Allocate'),
      field.destination(rig.bus.uniqueName),
    ];
    const signature = 'a(sa{sv})a{sv}';
    const body = marshal(signature, [[['cpu', []]], [['size', ['t', 1n]]]]);
    const quiet = [...fields, field.signature(signature)];
    await raw.sendMessage({ type: CALL, flags: 1, fields: quiet, body });
    const counted = await raw.sendMessage({ type: CALL, fields: quiet, body });
    closeAll((await raw.answerTo(counted)).fds);
    expect(rig.heap('dma-heap:system').mostRunning).toBe(1);
    expect(rig.broker.totals().liveBuffers).toBe(1);
    raw.close();
    await until(() => {
      expect(rig.broker.allocations()).toEqual([]);
    });
  });

  test('whose reply the bus refuses is undone', async () => {
    const rules = '<deny send_type="method_return" send_requested_reply="true" min_fds="1"/>';
    const rig = await serveRig({ bus: { config: permissiveConfig(rules) } });
    const client = await rig.client();
    // The bus tells us and not the client, which would wait for its timeout.
    const never = request(client, 'Allocate', PAGE_OF_MEMORY).catch(() => undefined);
    await until(() => {
      expect(rig.heap('dma-heap:system')).toMatchObject({ mostRunning: 1, running: 0 });
      expect(rig.broker.allocations()).toEqual([]);
    });
    expect(await client.get(ROOT_PATH, 'org.dmabroker1.Broker', 'LiveBuffers')).toBe(0n);
    await client.bus.close();
    await never;
  });

  test('goes on for others while one waits for its memory', async () => {
    const rig = await serveRig();
    const [slow, fast] = [await rig.client(), await rig.client()];
    rig.heap('dma-heap:system').holdsBack = true;
    const waiting = allocate(slow);
    await until(() => {
      expect(rig.heap('dma-heap:system').waiting).toHaveLength(1);
    });
    await fast.settled();
    rig.heap('dma-heap:system').letGo();
    expect(await waiting).toMatch(/^\/org\/dmabroker1\/allocation\//);
  });
});

describe('a client that leaves', () => {
  test('is told to the broker, also while its memory is being made', async () => {
    const rig = await serveRig();
    const [gone, stays] = [await rig.client(), await rig.client()];
    await allocate(gone);
    const kept = await allocate(stays);
    rig.heap('dma-heap:system').holdsBack = true;
    const never = refusalOf(allocate(gone)).catch(() => undefined);
    await until(() => {
      expect(rig.heap('dma-heap:system').waiting).toHaveLength(1);
    });
    await gone.bus.close();
    await never;
    await until(() => {
      expect(rig.broker.allocations().map(({ id }) => allocationPath(id))).toEqual([kept]);
    });
    rig.heap('dma-heap:system').letGo();
    await until(() => {
      expect(rig.broker.totals().liveBuffers).toBe(1);
      expect(rig.heap('dma-heap:system').running).toBe(0);
    });
  });

  test.each(busKinds())('is noticed on %s, and a name that loses its owner is no client', async (kind) => {
    const rig = await serveRig({ bus: { kind } });
    const client = await rig.client();
    const path = await allocate(client);
    await requestName(client.bus, 'org.example.Name');
    await client.bus.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'ReleaseName',
      signature: 's',
      body: ['org.example.Name'],
    });
    await client.settled();
    expect(rig.broker.allocations().map(({ id }) => allocationPath(id))).toEqual([path]);
    await client.bus.close();
    await until(() => {
      expect(rig.broker.allocations()).toEqual([]);
    });
  });

  test('before the service was there is noticed when it starts; who is still there keeps what it has', async () => {
    const rig = await serveRig({
      before: async ({ broker }, bus) => {
        const owners = [
          OWNER,
          { ...OWNER, bus: bus.id, name: ':1.4711' },
          { ...OWNER, bus: bus.id, name: bus.uniqueName },
        ];
        for (const owner of owners) closeAll((await broker.allocate(owner, bytes(1n))).fds);
      },
    });
    expect(rig.broker.allocations().map(({ owner }) => owner.name)).toEqual([rig.bus.uniqueName]);
  });
});

describe('Explain', () => {
  test('gives the reasons and allocates nothing', async () => {
    const rig = await serveRig();
    const client = await rig.client();
    const { signature, body } = await client.call('Explain', 'a(sa{sv})a{sv}', [
      [device('cpu', { 'pitch-multiple': u(192) }), device('226:128', { uses: v('as', ['scanout']) })],
      dict({ ...IMAGE }),
    ]);
    expect(signature).toBe('a{sv}');
    const result = object(body[0]);
    expect(result).toMatchObject({ feasible: true, conflicts: [] });
    expect(object(result['layout'])).toMatchObject({ planes: [[0n, 2688]] });
    expect(result['pool']).toBe(object(result['layout'])['pool']);
    const constraints = (result['constraints'] as readonly WireValue[]).map(object);
    expect(constraints).toContainEqual({
      entry: 0,
      device: 'cpu',
      constraint: 'pitch-multiple',
      value: 192,
      source: 'client',
    });
    expect(rig.broker.allocations()).toEqual([]);
  });

  test('has no layout and no pool when nothing fits', async () => {
    const client = await (await serveRig()).client();
    const { body } = await client.call('Explain', 'a(sa{sv})a{sv}', [
      [device('cpu', { 'max-width': u(639) })],
      dict(IMAGE),
    ]);
    const result = object(body[0]);
    expect(Object.keys(result).sort()).toEqual([
      'conflicts',
      'constraints',
      'feasible',
      'limits',
      'suggestions',
    ]);
    expect((result['conflicts'] as readonly WireValue[]).map(object)).toContainEqual(
      expect.objectContaining({ entry: 0, constraint: 'max-width', value: 639 }),
    );
  });
});

describe('Release', () => {
  test('is for the owning connection and for uid 0, once', async () => {
    const rig = await serveRig();
    const [owner, sibling, stranger, administrator] = [
      await rig.client(1000),
      await rig.client(1000),
      await rig.client(1001),
      await rig.client(0),
    ];
    const paths = [await allocate(owner), await allocate(owner)];
    for (const other of [sibling, stranger])
      expect((await refusalOf(other.call('Release', 'o', [paths[0] ?? '']))).name).toBe(
        'org.dmabroker1.Error.UnknownAllocation',
      );
    await owner.call('Release', 'o', [paths[0] ?? '']);
    await administrator.call('Release', 'o', [paths[1] ?? '']);
    expect(rig.broker.allocations()).toEqual([]);
    for (const path of [...paths, ROOT_PATH, '/'])
      expect((await refusalOf(owner.call('Release', 'o', [path]))).name).toBe(
        'org.dmabroker1.Error.UnknownAllocation',
      );
  });
});

describe('administration', () => {
  const attempts = (rig: ServeRig): readonly (readonly [string, string, readonly WireValue[]])[] => {
    const handle = rig.broker.pools()[0]?.handle ?? '';
    return [
      ['Reload', '', []],
      ['SetPoolLimit', 'st', [handle, 8192n]],
      ['Reveal', 's', [handle]],
    ];
  };

  test('is refused to everybody but uid 0 where there is no polkit', async () => {
    const rig = await serveRig();
    const client = await rig.client();
    for (const [member, signature, body] of attempts(rig))
      expect((await refusalOf(client.call(member, signature, body))).name).toBe(
        'org.dmabroker1.Error.AccessDenied',
      );
    expect(rig.broker.pools()[0]?.limit).not.toBe(8192n);
  });

  test('is done for uid 0', async () => {
    const rig = await serveRig();
    const client = await rig.client(0);
    const replies = [];
    for (const [member, signature, body] of attempts(rig))
      replies.push(await client.call(member, signature, body));
    expect(rig.broker.pools()[0]?.limit).toBe(8192n);
    expect(object(replies[2]?.body[0])).toMatchObject({ name: 'system', limit: 8192n });
    for (const [member, signature, rest] of [
      ['Reveal', 's', []],
      ['SetPoolLimit', 'st', [1n]],
    ] as const)
      expect((await refusalOf(client.call(member, signature, ['no pool', ...rest]))).name).toBe(
        'org.dmabroker1.Error.InvalidRequest',
      );
  });
});

describe('bad calls', () => {
  const E = 'org.freedesktop.DBus.Error.';

  test.each<[string, string, string, WireValue[], { path?: string; interface?: string }]>([
    ['UnknownMethod', 'Free', '', [], {}],
    ['UnknownMethod', '__proto__', '', [], {}],
    ['UnknownMethod', 'Free', '', [], { interface: 'org.freedesktop.DBus.Peer', path: '/nowhere' }],
    ['UnknownInterface', 'Allocate', '', [], { interface: 'org.dmabroker2.Broker' }],
    ['UnknownInterface', 'Allocate', '', [], { path: '/org' }],
    ['UnknownObject', 'Allocate', '', [], { path: '/org/dmabroker1/pool/none' }],
    [
      'UnknownObject',
      'Introspect',
      '',
      [],
      { path: '/com', interface: 'org.freedesktop.DBus.Introspectable' },
    ],
    ['InvalidArgs', 'Allocate', 'a{sv}', [[]], {}],
    ['InvalidArgs', 'Explain', 'a(sa{sv})a{ss}', [[], []], {}],
    ['InvalidArgs', 'Reload', 's', [''], {}],
    ['InvalidArgs', 'Release', 's', ['/'], {}],
  ])('%s for %s(%s)', async (name, member, signature, body, where) => {
    const client = await (await serveRig()).client(0);
    expect((await refusalOf(client.call(member, signature, body, where))).name).toBe(E + name);
  });

  test('file descriptors are taken nowhere, and closed', async () => {
    const rig = await serveRig();
    const client = await rig.client();
    const memory: OwnedFd[] = [];
    await allocate(client, PAGE_OF_MEMORY, (fds) => memory.push(...fds));
    for (const fd of memory) {
      const copy = v('h', fd.dup());
      const refused = client.call('Allocate', 'a(sa{sv})a{sv}', [[device('cpu')], dict({ size: copy })]);
      expect(await refusalOf(refused)).toEqual({
        name: 'org.dmabroker1.Error.InvalidRequest',
        message: expect.stringMatching(/^Allocate: ./) as string,
      });
      expect((await refusalOf(client.call('Reload', 'h', [fd.dup()]))).name).toMatch(/InvalidRequest$/);
      await until(() => {
        expect(rig.dmaBuf.references(fd.number)).toBe(2);
      });
    }
    closeAll(memory);
  });

  test('a mistake of ours is logged once, and tells the client nothing', async () => {
    const rig = await serveRig();
    rig.setPolicy(new Error('ENOENT: /etc/dmabroker/secret'));
    const refused = await refusalOf((await rig.client(0)).call('Reload'));
    expect(refused.name).toBe('org.dmabroker1.Error.Internal');
    expect(refused.message).not.toMatch(/secret|\//);
    expect(rig.lines).toHaveLength(1);
    expect(rig.lines[0]).toMatchObject({
      member: 'Reload',
      err: { message: 'ENOENT: /etc/dmabroker/secret' },
    });
  });

  test('a refusal is logged once, with who was refused', async () => {
    const rig = await serveRig();
    const client = await rig.client();
    const { message } = await refusalOf(request(client, 'Allocate', {}));
    await refusalOf(client.call('Reload'));
    const who = { event: 'call-refused', client: client.bus.uniqueName, uid: 1000 };
    expect(rig.lines).toMatchObject([
      {
        ...who,
        level: 30,
        code: 'InvalidRequest',
        member: 'Allocate',
        msg: expect.stringContaining(message) as string,
      },
      { ...who, level: 30, code: 'AccessDenied', member: 'Reload' },
    ]);
  });

  test('what was not shown of a client that was refused again and again is told when it leaves', async () => {
    const rig = await serveRig();
    const client = await rig.client();
    for (let i = 0; i < 12; i++) await refusalOf(client.call('Reload'));
    expect(rig.lines).toHaveLength(10);
    await client.bus.close();
    await until(() => {
      expect(rig.lines).toHaveLength(11);
    });
    expect(rig.lines[10]).toMatchObject({ event: 'refusals-hidden', hidden: 2 });
  });

  test('a call with descriptors is refused, and logged, whether or not it is the first of its sender', async () => {
    const rig = await serveRig();
    const client = await rig.client();
    for (let i = 0; i < 2; i++) {
      const fd = new OwnedFd(openSync('/dev/null', 'r'));
      const refused = await refusalOf(client.call('Reload', 'h', [fd]));
      expect(refused).toMatchObject({
        name: 'org.dmabroker1.Error.InvalidRequest',
        message: expect.stringMatching(/^Reload: ./) as string,
      });
    }
    const line = { member: 'Reload', code: 'InvalidRequest', client: client.bus.uniqueName };
    expect(rig.lines).toMatchObject([line, line]);
  });
});

describe('the end', () => {
  test('waits for what is under way, and refuses what comes after', async () => {
    const rig = await serveRig();
    const client = await rig.client();
    rig.heap('dma-heap:system').holdsBack = true;
    const underWay = allocate(client);
    await until(() => {
      expect(rig.heap('dma-heap:system').waiting).toHaveLength(1);
    });
    const closed = rig.server.close();
    expect((await refusalOf(client.call('Reload'))).name).toBe('org.dmabroker1.Error.Unavailable');
    rig.heap('dma-heap:system').letGo();
    expect(await underWay).toMatch(/allocation/);
    await closed;
  });
});
