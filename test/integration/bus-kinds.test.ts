import { fstatSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { busKinds } from '../harness/private-bus.js';
import { expectError, HostileRig } from './hostile-rig.js';
import { call, CPU, image, PAGE, request, u } from '../harness/hostile/values.js';

describe.each(busKinds())('on %s, an allocation', (kind) => {
  let rig: HostileRig;
  beforeAll(async () => {
    rig = await HostileRig.start({ kind });
  });
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
  });

  it('lives from its reply to its release', async () => {
    await using client = await rig.connect();
    const serial = await client.sendMessage(request('Allocate', CPU, image(u('count', 16))));
    const { body, fds } = await client.answerTo(serial);
    const files = fds.map((fd) => fstatSync(fd.number));
    for (const fd of fds) fd.close();
    expect(new Set(files.map(({ ino }) => ino)).size).toBe(16);
    expect(files.map(({ size }) => size)).toEqual(Array.from({ length: 16 }, () => 64 * 64 * 4));
    expect(await rig.property('LiveBuffers')).toBe(16n);
    const [path] = body;
    if (typeof path !== 'string') throw new Error('Allocate gave no path');
    const released = call({ member: 'Release', signature: 'o', body: [path] });
    expect((await rig.ask(client, released)).kind).toBe('reply');
    await rig.expectUnharmed();
  });

  it('grows by extends', async () => {
    await using client = await rig.connect();
    const first = await rig.ask(client, request('Allocate', CPU, [...PAGE, u('total', 20)]));
    if (first.kind !== 'reply') throw new Error(JSON.stringify(first));
    const [path] = first.body;
    if (typeof path !== 'string') throw new Error('Allocate gave no path');
    const more = request('Allocate', [], [['extends', ['o', path]], u('count', 4)]);
    expect(await rig.ask(client, more)).toMatchObject({ kind: 'reply', fds: 4 });
    expect(await rig.property('LiveBuffers')).toBe(20n);
    client.close();
    await rig.expectUnharmed();
  });

  it('ends when its owner leaves', async () => {
    {
      await using client = await rig.connect();
      const answer = await rig.ask(client, request('Allocate', CPU, [...PAGE, u('count', 3)]));
      expect(answer).toMatchObject({ kind: 'reply', fds: 3 });
      expect(await rig.property('LiveBuffers')).toBe(3n);
    }
    await rig.expectUnharmed();
  });

  it('is seen by its owner until its release', async () => {
    await using client = await rig.connect();
    const answer = await rig.ask(client, request('Allocate', CPU, PAGE));
    if (answer.kind !== 'reply') throw new Error(JSON.stringify(answer));
    const [path] = answer.body;
    if (typeof path !== 'string') throw new Error('Allocate gave no path');
    const state = call({
      path,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      signature: 'ss',
      body: ['org.dmabroker1.Allocation', 'State'],
    });
    expect(await rig.ask(client, state)).toMatchObject({ body: [{ signature: 's', value: 'held' }] });
    await rig.ask(client, call({ member: 'Release', signature: 'o', body: [path] }));
    expectError(await rig.ask(client, state), 'org.freedesktop.DBus.Error.UnknownObject', 'object');
    await rig.expectUnharmed();
  });

  it('is not made when its owner is gone before the answer', async () => {
    for (let i = 0; i < 20; i++) {
      await using client = await rig.connect();
      await client.sendMessage(request('Allocate', CPU, [...PAGE, u('count', 16)]));
    }
    await rig.expectUnharmed();
  });
});
