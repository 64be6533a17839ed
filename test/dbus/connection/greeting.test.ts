import { expect, test } from 'vitest';

import { connectBus } from '../../../dbus/connection/bus.js';
import { FakeServer, nextSerial } from '../../harness/fake-server.js';
import { ERROR, field, marshal, REPLY } from '../../harness/raw-message.js';

/** The first message of a connection has the serial 1. */
const GREETING = 1;
const CALL = { destination: 'a.b', path: '/a', interface: 'a.b', member: 'C' };

test.each([
  ['an error', 's', marshal('s', ['no'])],
  ['what cannot be read', 'h', marshal('h', [0])],
])('%s of a stranger to a greeting that was answered ends nothing', async (_what, signature, body) => {
  await using server = new FakeServer();
  const connecting = connectBus(server.address);
  await using peer = await server.acceptGreeted();
  const bus = await connecting;
  const answered = bus.call(CALL);
  const serial = await nextSerial(peer);
  const stranger = [field.sender(':1.9'), field.signature(signature), field.replySerial(GREETING)];
  await peer.sendMessage({ type: ERROR, fields: [...stranger, field.errorName('a.b.No')], body });
  await peer.sendMessage({ type: REPLY, fields: stranger, body });
  await peer.sendMessage({ type: REPLY, fields: [field.sender(':1.2'), field.replySerial(serial)] });
  expect((await answered).body).toEqual([]);
  await bus.close();
});
