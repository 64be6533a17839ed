import { expect, test } from 'vitest';

import { Accounts } from '../../../dbus/accounts/account.js';
import { connectBus } from '../../../dbus/connection/bus.js';
import { wireSerial } from '../../../dbus/connection/message-stream.js';
import { FakeServer } from '../../harness/fake-server.js';
import { until } from '../../harness/gate.js';
import { field, rawMessage } from '../../harness/raw-message.js';

test('serials have 32 bits and are never 0, however many messages are sent', () => {
  expect([1, 2 ** 32 - 1, 2 ** 32, 2 ** 33].map(wireSerial)).toEqual([1, 2 ** 32 - 1, 1, 2]);
});

test('messages of unknown types are ignored, and hundreds that come at once are all handed out in order', async () => {
  await using server = new FakeServer();
  const [bus, peer] = await Promise.all([connectBus(server.address), server.acceptGreeted()]);
  const seen: string[] = [];
  bus.handleCalls((call) => seen.push(call.member));
  const message = (type: number, member: string): Buffer =>
    rawMessage({ type, flags: 1, serial: 9, fields: [field.path('/a'), field.member(member)] });
  const members = Array.from({ length: 500 }, (_, i) => `M${i}`);
  await peer.send(Buffer.concat([message(5, 'Five'), ...members.map((member) => message(1, member))]));
  await until(() => seen.length >= members.length);
  expect(seen).toEqual(members);
  await bus.close();
  peer.close();
});

test('answers and signals count as what a connection was sent, and questions to it do not', async () => {
  await using server = new FakeServer();
  const [bus, peer] = await Promise.all([connectBus(server.address), server.acceptGreeted()]);
  const sent: string[] = [];
  const { strangers } = new Accounts();
  bus.handleCalls(() => undefined, {
    strangers,
    ofSender: () => undefined,
    sent: (name) => sent.push(name),
  });
  const asked = bus.call({ destination: ':1.8', path: '/', interface: 'a.b', member: 'Ask' });
  bus.emit({ path: '/', interface: 'a.b', member: 'Told', destination: ':1.9' });
  expect(sent).toEqual([':1.9']);
  await Promise.all([bus.close(), expect(asked).rejects.toThrow()]);
  peer.close();
});
