import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { connectBus } from '../../dbus/connection/bus.js';
import type { WireDict } from '../../dbus/connection/bus-types.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { naming } from '../harness/naming.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { NOTHING_READY, writePolicy } from '../harness/root-policy.js';
import { ensure } from '../tools/ensure.mjs';
import { PROFILE, run, TemporaryDirectory } from './rig.js';

// All of them look with busctl at what is left.
const hasBusctl = ensure(['systemd'], { optional: true });
const hasGdbus = hasBusctl && ensure(['libglib2.0-bin'], { optional: true });

const root = new TemporaryDirectory();
let bus: PrivateBus;
let daemon: RunningDaemon;

beforeAll(async () => {
  bus = await startBus();
  writePolicy(root.path, NOTHING_READY);
  daemon = await startDaemon({ bus, args: ['--profile', PROFILE, '--root', root.path] });
});
afterAll(async () => {
  await daemon.stop();
  await bus.stop();
  root[Symbol.dispose]();
});

/** A property of the broker, as busctl prints it. */
async function live(): Promise<string> {
  const properties = ['LiveBytes', 'LiveBuffers'];
  const args = ['get-property', 'org.dmabroker1', '/org/dmabroker1', 'org.dmabroker1.Broker', ...properties];
  return (await run('busctl', [`--address=${bus.address}`, ...args])).stdout;
}

/** What a client that ended had is free again within a second. */
async function nothingLives(): Promise<void> {
  await vi.waitFor(async () => {
    expect(await live()).toBe('t 0\nt 0\n');
  });
}

describe('a first call', () => {
  it.skipIf(!hasBusctl)('with busctl prints a descriptor', async () => {
    const call =
      `--address=${bus.address} call org.dmabroker1 /org/dmabroker1 org.dmabroker1.Broker Allocate a(sa{sv})a{sv} ` +
      '1 cpu 1 uses as 2 read write 3 width u 1920 height u 1080 format s XR24';
    const { code, stdout, stderr } = await run('busctl', call.split(' '));
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^oa\{sv\}ah "\/org\/dmabroker1\/allocation\/[0-9a-f]{32}" /);
    expect(stdout).toMatch(/ 1 \d+\n$/);
    expect(stdout).toContain('"size" t 8294400');
    await nothingLives();
  });

  it.skipIf(!hasGdbus)('with gdbus does too', async () => {
    const args = [
      'call',
      '--address',
      bus.address,
      '--dest',
      'org.dmabroker1',
      '--object-path',
      '/org/dmabroker1',
    ];
    const devices = "[('cpu', {'uses': <['read', 'write']>})]";
    const buffer = "{'width': <uint32 1920>, 'height': <uint32 1080>, 'format': <'XR24'>}";
    const method = ['--method', 'org.dmabroker1.Broker.Allocate', devices, buffer];
    const { code, stdout, stderr } = await run('gdbus', [...args, ...method]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\(objectpath '\/org\/dmabroker1\/allocation\/[0-9a-f]{32}', \{/);
    expect(stdout).toMatch(/\[handle \d+\]\)\n$/);
    await nothingLives();
  });
});

describe('an owner', () => {
  const allocate = {
    destination: 'org.dmabroker1',
    path: '/org/dmabroker1',
    interface: 'org.dmabroker1.Broker',
    member: 'Allocate',
    signature: 'a(sa{sv})a{sv}',
    body: [
      [['cpu', []]],
      [
        ['size', { signature: 't', value: 10_000n }],
        ['count', { signature: 'u', value: 3 }],
      ],
    ],
  };

  it('has its buffers for as long as it stays', async () => {
    const client = await connectBus(bus.address);
    const before = daemon.fdCount();
    const reply = await client.call(allocate);
    for (const fd of reply.fds) fd.close();
    expect(reply.fds).toHaveLength(3);
    expect(await live()).toBe('t 36864\nt 3\n');
    await client.close();
    await nothingLives();
    await vi.waitFor(() => {
      expect(daemon.fdCount()).toBeLessThanOrEqual(before);
    });
  });

  it('who leaves before the answer is there leaves nothing behind', async () => {
    const before = daemon.fdCount();
    for (let i = 0; i < 10; i += 1) {
      const client = await connectBus(bus.address);
      const unanswered = client.call(allocate);
      await client.close();
      await expect(unanswered).rejects.toThrow();
    }
    // A later call is answered after all of them.
    const client = await connectBus(bus.address);
    const reply = await client.call(allocate);
    for (const fd of reply.fds) fd.close();
    await client.close();
    await nothingLives();
    await vi.waitFor(() => {
      expect(daemon.fdCount()).toBeLessThanOrEqual(before);
    });
  });

  it('releases what it is done with, once', async () => {
    const client = await connectBus(bus.address);
    const reply = await client.call(allocate);
    for (const fd of reply.fds) fd.close();
    const release = { ...allocate, member: 'Release', signature: 'o', body: reply.body.slice(0, 1) };
    await client.call(release);
    expect(await live()).toBe('t 0\nt 0\n');
    await expect(client.call(release)).rejects.toMatchObject({
      errorName: 'org.dmabroker1.Error.UnknownAllocation',
    });
    await client.close();
  });

  it('pays for plain memory that it keeps after its release, even when it has left', async () => {
    const before = daemon.fdCount();
    const client = await connectBus(bus.address);
    const reply = await client.call(allocate);
    const [kept, ...others] = reply.fds;
    for (const fd of others) fd.close();
    const release = { ...allocate, member: 'Release', signature: 'o', body: reply.body.slice(0, 1) };
    await client.call(release);
    await vi.waitFor(async () => {
      expect(await live()).toBe('t 12288\nt 1\n');
    });
    await client.close();
    await vi.waitFor(async () => {
      expect(await live()).toBe('t 12288\nt 1\n');
    });
    kept?.close();
    await nothingLives();
    expect(daemon.fdCount()).toBeLessThanOrEqual(before);
  });

  it('is told which constraints cannot hold together', async () => {
    const client = await connectBus(bus.address);
    const limits: WireDict = [['protected', { signature: 'b', value: true }]];
    const [, buffer] = allocate.body;
    const refused = client.call({ ...allocate, body: [[['cpu', limits]], buffer ?? []] });
    await expect(refused).rejects.toMatchObject({
      errorName: 'org.dmabroker1.Error.Conflict',
      message: expect.stringMatching(naming('protected yes', 'cpu', 'client')) as string,
    });
    await client.close();
  });
});
