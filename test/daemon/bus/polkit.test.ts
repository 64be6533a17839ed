import { describe, expect, onTestFinished, test } from 'vitest';

import { connectBus, requestName } from '../../../dbus/connection/bus.js';
import type { IncomingCall } from '../../../dbus/connection/types.js';
import { refusalOf, serveRig, until, type ServeRig } from './serve-rig.js';
import { v } from './wire.js';

const DENIED = 'org.dmabroker1.Error.AccessDenied';

/** Something in polkit's place on the bus, which answers as it is told to. */
async function polkit(rig: ServeRig, answer: (call: IncomingCall) => void): Promise<readonly IncomingCall[]> {
  const asked: IncomingCall[] = [];
  const bus = await connectBus(rig.address);
  onTestFinished(() => bus.close());
  bus.handleCalls((call) => {
    asked.push(call);
    answer(call);
  });
  await requestName(bus, 'org.freedesktop.PolicyKit1');
  return asked;
}

const says =
  (authorized: boolean) =>
  (call: IncomingCall): void => {
    call.reply('(bba{ss})', [[authorized, false, []]]);
  };

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
      ['reload', 'reload', 'manage-pools', 'reveal'].map((action) => [
        '/org/freedesktop/PolicyKit1/Authority',
        'org.freedesktop.PolicyKit1.Authority',
        'CheckAuthorization',
        '(sa{sv})sa{ss}us',
        [subject, `org.dmabroker1.${action}`, [], 0, ''],
      ]),
    );
    expect(rig.lines).toEqual([]);
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
    expect((await refusalOf((await rig.client(1000)).call('Reload'))).name).toBe(DENIED);
    expect(rig.lines).toEqual([]);
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
    expect(rig.lines).toMatchObject([{ action: 'org.dmabroker1.reload', err: { message: 'no' } }]);
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
