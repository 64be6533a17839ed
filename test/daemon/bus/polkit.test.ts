import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';

import { Polkit } from '../../../daemon/bus/polkit.js';
import {
  BusTimeoutError,
  type IncomingCall,
  type MethodCall,
  type Reply,
} from '../../../dbus/connection/bus-types.js';
import { OWNER } from '../broker/rig.js';
import { polkit, says } from './fake-polkit.js';
import { refusalOf, serveRig, until } from './serve-rig.js';
import { v } from './wire.js';

const DENIED = 'org.dmabroker1.Error.AccessDenied';

describe('on the system bus', () => {
  test('polkit decides for users', async () => {
    const rig = await serveRig({ busKind: 'system' });
    let authorized = true;
    const asked = await polkit(rig, (call) => {
      says(authorized)(call);
    });
    const client = await rig.client(1000);
    await client.call('Reload');
    authorized = false;
    expect((await refusalOf(client.call('Reload'))).name).toBe(DENIED);
    const handle = rig.broker.pools()[0]?.handle ?? '';
    expect((await refusalOf(client.call('SetPoolLimit', 'st', [handle, 1n]))).name).toBe(DENIED);
    expect((await refusalOf(client.call('Reveal', 's', [handle]))).name).toBe(DENIED);
    const subject = ['system-bus-name', [['name', v('s', client.bus.uniqueName)]]];
    expect(
      asked.map(({ path, interface: name, member, signature, body }) => [
        path,
        name,
        member,
        signature,
        body,
      ]),
    ).toEqual(
      ['reload', 'reload', 'manage-pools', 'reveal'].map((action, i) => [
        '/org/freedesktop/PolicyKit1/Authority',
        'org.freedesktop.PolicyKit1.Authority',
        'CheckAuthorization',
        '(sa{sv})sa{ss}us',
        [subject, `org.dmabroker1.${action}`, [], 0, String(i + 1)],
      ]),
    );
    expect(rig.warnings()).toEqual([]);
  });

  test('a person is asked only when the caller says so', async () => {
    const rig = await serveRig({ busKind: 'system' });
    const asked = await polkit(rig, says(true));
    const client = await rig.client();
    await client.bus.call({
      destination: rig.bus.uniqueName,
      path: '/org/dmabroker1',
      interface: 'org.dmabroker1.Broker',
      member: 'Reload',
      allowInteraction: true,
    });
    expect(asked[0]?.body[3]).toBe(1);
  });

  test('uid 0 needs no polkit, and nobody else may anything without it', async () => {
    const rig = await serveRig({ busKind: 'system' });
    await (await rig.client(0)).call('Reload');
    for (const uid of [1000, 1001])
      expect((await refusalOf((await rig.client(uid)).call('Reload'))).name).toBe(DENIED);
    expect(rig.warnings()).toMatchObject([{ event: 'polkit-absent' }]);
    expect(rig.warnings()).toHaveLength(1);
  });

  test('who leaves questions unanswered is denied more of them, and no other user is', async () => {
    const rig = await serveRig({ busKind: 'system' });
    const asked = await polkit(rig, () => undefined);
    const fourth = [];
    for (let i = 0; i < 4; i += 1) fourth.push(refusalOf((await rig.client(1000)).call('Reload')));
    await until(() => {
      expect(asked).toHaveLength(4);
    });
    expect((await refusalOf((await rig.client(1000)).call('Reload'))).name).toBe(DENIED);
    const other = refusalOf((await rig.client(1001)).call('Reload'));
    await until(() => {
      expect(asked).toHaveLength(5);
    });
    await rig.server.close();
    await Promise.all([...fourth, other]);
  });

  test.each<[string, (call: IncomingCall) => void]>([
    [
      'an error',
      (call) => {
        call.error('org.freedesktop.PolicyKit1.Error.Failed', 'no');
      },
    ],
    [
      'something that is no answer',
      (call) => {
        call.reply('s', ['yes']);
      },
    ],
  ])('%s allows nothing', async (_, answer) => {
    const rig = await serveRig({ busKind: 'system' });
    await polkit(rig, answer);
    expect((await refusalOf((await rig.client()).call('Reload'))).name).toBe(DENIED);
  });

  test('an error of polkit is logged', async () => {
    const rig = await serveRig({ busKind: 'system' });
    await polkit(rig, (call) => {
      call.error('org.freedesktop.PolicyKit1.Error.Failed', 'no');
    });
    await refusalOf((await rig.client()).call('Reload'));
    expect(rig.warnings()).toMatchObject([{ action: 'org.dmabroker1.reload', err: { message: 'no' } }]);
  });

  test('who asks again while polkit thinks is not asked again, and the end waits for nobody', async () => {
    const rig = await serveRig({ busKind: 'system' });
    const asked = await polkit(rig, () => undefined);
    const client = await rig.client();
    const attempts = [refusalOf(client.call('Reload')), refusalOf(client.call('Reload'))];
    await until(() => {
      expect(asked).toHaveLength(1);
    });
    await client.settled();
    await rig.server.close();
    for (const attempt of attempts) expect((await attempt).name).toBe(DENIED);
    expect(asked).toHaveLength(1);
  });
});

test('on another bus nobody is asked: whoever is there could answer', async () => {
  for (const busKind of ['session', 'address'] as const) {
    const rig = await serveRig({ busKind });
    const asked = await polkit(rig, says(true));
    expect((await refusalOf((await rig.client()).call('Reload'))).name).toBe(DENIED);
    expect(asked).toEqual([]);
  }
});

test('who was denied because nobody typed a password is not asked for it any longer', async () => {
  const calls: MethodCall[] = [];
  const call = (request: MethodCall): Promise<Reply> => {
    if (request.member === 'GetNameOwner')
      return Promise.resolve({ signature: 's', body: [':1.9'], fds: [] });
    calls.push(request);
    return Promise.reject(new BusTimeoutError());
  };
  const silent = pino({ enabled: false });
  const authority = new Polkit({ call }, silent, new AbortController().signal);
  expect(await authority.allows(OWNER, 'org.dmabroker1.reload', true)).toBe(false);
  await vi.waitFor(() => {
    expect(calls).toHaveLength(2);
  });
  const [asked, withdrawn] = calls;
  expect(withdrawn).toMatchObject({ member: 'CancelCheckAuthorization', signature: 's' });
  expect(withdrawn?.body).toEqual([asked?.body?.at(-1)]);
});
