import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { Credentials, unitOf, unitOfCgroup } from '../../../daemon/bus/credentials.js';
import { connectBus } from '../../../dbus/connection/bus.js';
import type { Bus, MethodCall } from '../../../dbus/connection/bus-types.js';
import { startBus } from '../../harness/private-bus.js';

/** A directory that stands before /proc, with the cgroup and the users of one process. */
function rootWith(pid: number, cgroup: string, uids = [process.getuid?.() ?? 0]): string {
  const root = mkdtempSync(join(tmpdir(), 'dmabroker-root-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
  mkdirSync(join(root, 'proc', String(pid)), { recursive: true });
  writeFileSync(join(root, 'proc', String(pid), 'cgroup'), cgroup);
  writeFileSync(
    join(root, 'proc', String(pid), 'status'),
    `Name:\tnode\nUid:\t${uids.join('\t')}\nGid:\t7\n`,
  );
  return root;
}

describe('the unit in a cgroup', () => {
  test.each([
    ['0::/system.slice/pipewire.service\n', 'pipewire.service'],
    ['0::/system.slice/system-getty.slice/getty@tty1.service\n', 'getty@tty1.service'],
    ['0::/user.slice/user-1000.slice/session-2.scope\n', 'session-2.scope'],
    [
      '0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox\\x2desr-42.scope\n',
      'app-firefox\\x2desr-42.scope',
    ],
    ['0::/user.slice/user-1000.slice/user@1000.service/init.scope\n', 'init.scope'],
    ['0::/user.slice/user-1000.slice/user@1000.service\n', 'user@1000.service'],
    // What a container's manager makes below its own unit is not the unit's name.
    ['0::/machine.slice/machine-c.scope/payload/system.slice/gdm.service\n', 'machine-c.scope'],
    ['12:pids:/x.service\n0::/system.slice/a.service\n', 'a.service'],
    ['0::/\n', ''],
    ['', ''],
    ['0::/system.slice/evil\u001b[31m.service\n', ''],
    [`0::/system.slice/${'x'.repeat(250)}.service\n`, ''],
  ])('%j is of %s', (text, unit) => {
    expect(unitOfCgroup(text)).toBe(unit);
  });

  test('is read below the root; what cannot be read is of none', async () => {
    const root = rootWith(42, '0::/system.slice/a.service\n', [1000, 1001, 1000, 1000]);
    expect(await unitOf(42, 1000, root)).toBe('a.service');
    expect(await unitOf(42, 1001, root)).toBe('a.service');
    expect(await unitOf(43, 1000, root)).toBe('');
  });

  test('is not that of a pid which another user has by now', async () => {
    const root = rootWith(42, '0::/system.slice/a.service\n', [1000, 1000, 1000, 1000]);
    expect(await unitOf(42, 100, root)).toBe('');
    expect(await unitOf(42, 7, root)).toBe('');
  });
});

describe('credentials', () => {
  async function connect(): Promise<{ bus: Bus; calls: MethodCall[]; asking: Bus }> {
    const privateBus = await startBus();
    onTestFinished(() => privateBus.stop());
    const bus = await connectBus(privateBus.address);
    onTestFinished(() => bus.close());
    const calls: MethodCall[] = [];
    const asking = new Proxy(bus, {
      get: (target, name) => {
        if (name === 'call')
          return (call: MethodCall) => {
            calls.push(call);
            return target.call(call);
          };
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    return { bus, calls, asking };
  }

  test('are asked of the bus once, and again after they were forgotten', async () => {
    const { bus, calls, asking } = await connect();
    const root = rootWith(process.pid, '0::/system.slice/test.service\n');
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'etc', 'group'), `others:x:4711:\nmine:x:${process.getgid?.()}:\n`);
    const credentials = new Credentials(asking, root);
    const name = bus.uniqueName;
    expect(credentials.has(name)).toBe(false);
    const [first, second] = [credentials.of(name), credentials.of(name)];
    expect(credentials.has(name)).toBe(true);
    expect(first).toBe(second);
    const owner = { bus: bus.id, name, uid: process.getuid?.(), groups: ['mine'], unit: 'test.service' };
    expect(await first).toEqual(owner);
    expect(credentials.of(name)).toEqual(owner);
    expect(calls).toHaveLength(1);
    credentials.forget(name);
    expect(credentials.has(name)).toBe(false);
    await credentials.of(name);
    expect(calls).toHaveLength(2);
  });

  test('of a connection that left meanwhile are not kept', async () => {
    const { bus, asking } = await connect();
    const credentials = new Credentials(asking, '');
    const asked = credentials.of(bus.uniqueName);
    credentials.forget(bus.uniqueName);
    expect(await asked).toMatchObject({ name: bus.uniqueName });
    expect(credentials.has(bus.uniqueName)).toBe(false);
  });

  test('of nobody reject, and are not kept', async () => {
    const { asking } = await connect();
    const credentials = new Credentials(asking, '');
    await expect(credentials.of(':1.4711')).rejects.toMatchObject({ name: 'BusCallError' });
    expect(credentials.has(':1.4711')).toBe(false);
  });
});
