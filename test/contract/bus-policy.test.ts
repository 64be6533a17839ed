import { expect, onTestFinished, test } from 'vitest';

import { connectBus, requestName } from '../../dbus/connection/bus.js';
import type { Bus } from '../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../dbus/names.js';
import { startBus } from '../harness/private-bus.js';
import { newMemfd } from '../harness/sockets.js';
import { SYSTEM_BUS_CONFIG } from '../harness/system-bus.js';

/** Owning the name is for root and the service's own user. */
test.runIf(process.getuid?.() === 0)(
  'the bus lets calls to the service through, and no signal and no descriptor',
  async () => {
    const bus = await startBus({ config: SYSTEM_BUS_CONFIG });
    onTestFinished(() => bus.stop());
    const connect = async (): Promise<Bus> => {
      const connection = await connectBus(bus.address);
      onTestFinished(() => connection.close());
      return connection;
    };
    const [service, client] = [await connect(), await connect()];
    expect(await requestName(service, BUS_NAME)).toBe('owner');
    await expect(requestName(service, 'org.dmabroker2')).rejects.toMatchObject({ name: 'BusCallError' });
    const heard: string[] = [];
    await service.listen(
      "type='signal'",
      () => true,
      ({ sender, member }) => {
        heard.push(`${sender} ${member}`);
      },
    );
    service.handleCalls((call) => {
      call.reply('s', [call.interface]);
    });
    const told: string[] = [];
    await client.listen(
      `type='signal',sender='${BUS_NAME}'`,
      ({ sender }) => sender === service.uniqueName,
      ({ member }) => {
        told.push(member);
      },
    );

    for (const name of [
      'org.dmabroker1.Broker',
      'org.freedesktop.DBus.Properties',
      'org.freedesktop.DBus.ObjectManager',
    ]) {
      client.emit({ destination: BUS_NAME, path: ROOT_PATH, interface: name, member: 'Unicast' });
      client.emit({ destination: service.uniqueName, path: ROOT_PATH, interface: name, member: 'Unicast' });
      client.emit({ path: ROOT_PATH, interface: name, member: 'Broadcast' });
      service.emit({ path: ROOT_PATH, interface: name, member: 'ToAll' });
      service.emit({ destination: client.uniqueName, path: ROOT_PATH, interface: name, member: 'ToOne' });
      const { body } = await client.call({
        destination: BUS_NAME,
        path: ROOT_PATH,
        interface: name,
        member: 'Call',
      });
      expect(body).toEqual([name]);
    }
    await expect(
      client.call({
        ...{ destination: service.uniqueName, path: ROOT_PATH, interface: BROKER_INTERFACE, member: 'Call' },
        ...{ signature: 'h', body: [newMemfd()] },
      }),
    ).rejects.toMatchObject({ errorName: 'org.freedesktop.DBus.Error.AccessDenied' });
    expect(told).toEqual(['ToAll', 'ToOne', 'ToAll', 'ToOne', 'ToAll', 'ToOne']);
    // What the bus itself says must still arrive: it is how the service learns that a client left.
    await client.close();
    await expect.poll(() => heard).toContain('org.freedesktop.DBus NameOwnerChanged');
    expect(heard.filter((line) => !line.startsWith('org.freedesktop.DBus '))).toEqual([]);
  },
);
