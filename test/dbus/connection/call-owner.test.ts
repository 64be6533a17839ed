import { expect, onTestFinished, test } from 'vitest';

import { callOwner, connectBus, requestName } from '../../../dbus/connection/bus.js';
import { BusCallError, type Bus } from '../../../dbus/connection/bus-types.js';
import { startBus } from '../../harness/private-bus.js';

const NAME = 'org.example.Service';
const CALL = { destination: NAME, path: '/', interface: 'org.example.Face', member: 'Who' };

/** A bus with a caller on it; `connect` adds others. */
async function rig(): Promise<{ caller: Bus; connect: () => Promise<Bus> }> {
  const bus = await startBus();
  onTestFinished(() => bus.stop());
  const connect = async (): Promise<Bus> => {
    const connection = await connectBus(bus.address);
    onTestFinished(() => connection.close());
    return connection;
  };
  return { caller: await connect(), connect };
}

test('the call goes to the unique name of the owner, which alone may answer it', async () => {
  const { caller, connect } = await rig();
  const service = await connect();
  service.handleCalls((call) => {
    call.reply('s', ['the owner']);
  });
  await requestName(service, NAME);
  const sent: string[] = [];
  const watched: Pick<Bus, 'call'> = {
    call: (call) => {
      sent.push(call.destination);
      return caller.call(call);
    },
  };
  expect((await callOwner(watched, CALL)).body).toEqual(['the owner']);
  expect(sent).toEqual(['org.freedesktop.DBus', service.uniqueName]);
});

test('a name that nothing owns or starts is an error of the bus', async () => {
  const { caller } = await rig();
  const failure = await callOwner(caller, CALL).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(BusCallError);
  expect(failure).toMatchObject({ errorName: 'org.freedesktop.DBus.Error.ServiceUnknown' });
});
