import { describe, expect, test } from 'vitest';

import { getCredentials, requestName } from '../../../dbus/connection/bus.js';
import {
  BusCallError,
  BusClosedError,
  BusTimeoutError,
  type IncomingCall,
  type IncomingSignal,
} from '../../../dbus/connection/bus-types.js';
import { startPair, type BusPair } from '../../harness/bus-pair.js';
import { gate, until } from '../../harness/gate.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import { busKinds } from '../../harness/private-bus.js';
import { RawClient } from '../../harness/raw-client.js';
import { CALL, field } from '../../harness/raw-message.js';
import { newMemfd } from '../../harness/sockets.js';
import { naming } from '../../harness/naming.js';

const FAILED = { errorName: 'org.freedesktop.DBus.Error.Failed', message: 'The service has a bug.' };

describe.each(busKinds())('%s', (kind) => {
  test('a call arrives as it was made, and so does its answer', async () => {
    await using pair = await startPair(kind);
    const calls: IncomingCall[] = [];
    pair.service.handleCalls((call) => {
      calls.push(call);
      call.reply('a{sv}', [[['size', { signature: 't', value: 5n }]]]);
    });
    const body = ['ä', [['a', 1]]] as const;
    const reply = await pair.ask({ signature: 'sa{su}', body, allowInteraction: true });
    expect(reply).toEqual({ signature: 'a{sv}', body: [[['size', { signature: 't', value: 5n }]]], fds: [] });
    expect(calls).toMatchObject([
      {
        sender: pair.client.uniqueName,
        path: '/test',
        interface: 'test.Test',
        member: 'Test',
        signature: 'sa{su}',
        body,
        expectsReply: true,
        allowsInteraction: true,
      },
    ]);
  });

  test('an error arrives with its name and text', async () => {
    await using pair = await startPair(kind);
    pair.service.handleCalls((call) => {
      call.error('org.dmabroker1.Error.Conflict', 'nothing fits');
    });
    const failure = pair.ask();
    await expect(failure).rejects.toBeInstanceOf(BusCallError);
    await expect(failure).rejects.toMatchObject({
      errorName: 'org.dmabroker1.Error.Conflict',
      message: 'nothing fits',
      details: [],
    });
  });

  test('an error arrives with what follows its text', async () => {
    await using pair = await startPair(kind);
    pair.service.handleCalls((call) => {
      call.error('a.b', 'nothing fits', {
        signature: 'a{sv}u',
        values: [[['k', { signature: 'b', value: true }]], 7],
      });
    });
    await expect(pair.ask()).rejects.toMatchObject({
      message: 'nothing fits',
      details: [[['k', { signature: 'b', value: true }]], 7],
    });
  });

  test('the first answer counts, and whoever answers again learns that it went nowhere', async () => {
    const before = openFds();
    {
      await using pair = await startPair(kind);
      let undelivered = 0;
      pair.service.handleCalls((call) => {
        call.reply('u', [1]);
        call.error('a.b', 'again');
        call.reply('h', [newMemfd()], () => {
          undelivered += 1;
        });
      });
      expect((await pair.ask()).body).toEqual([1]);
      expect((await pair.ask()).body).toEqual([1]);
      expect(undelivered).toBe(2);
    }
    await expectNoNewFds(before);
  });

  test('a handler that throws: the caller learns nothing of it, the log does, and the next call is served', async () => {
    await using pair = await startPair(kind);
    pair.service.handleCalls((call) => {
      if (call.body[0] === true) throw new Error('secret');
      call.reply();
    });
    await expect(pair.ask({ signature: 'b', body: [true] })).rejects.toMatchObject(FAILED);
    await expect(pair.ask({ signature: 'b', body: [false] })).resolves.toBeDefined();
    expect(pair.faults).toEqual([new Error('secret')]);
  });

  test('an answer that cannot be written: the caller learns that it failed, fds are closed', async () => {
    const before = openFds();
    {
      await using pair = await startPair(kind);
      let undelivered = 0;
      pair.service.handleCalls((call) => {
        call.reply('hu', [newMemfd(), -1], () => {
          undelivered += 1;
        });
      });
      await expect(pair.ask()).rejects.toMatchObject(FAILED);
      expect(undelivered).toBe(1);
      expect(pair.faults).toMatchObject([{ name: 'WireError', code: 'type' }]);
    }
    await expectNoNewFds(before);
  });

  test('a call that cannot be written is rejected, and its fds are closed', async () => {
    const before = openFds();
    {
      await using pair = await startPair(kind);
      pair.service.handleCalls((call) => {
        call.reply();
      });
      await expect(pair.ask({ signature: 'hu', body: [newMemfd(), 'x'] })).rejects.toMatchObject({
        name: 'WireError',
        code: 'type',
      });
      await expect(
        pair.ask({ member: 'not a member', signature: 'h', body: [newMemfd()] }),
      ).rejects.toMatchObject({
        name: 'WireError',
        code: 'malformed',
        message: expect.stringMatching(naming('member')) as string,
      });
      await expect(pair.ask({ timeout: NaN, signature: 'h', body: [newMemfd()] })).rejects.toThrow(
        RangeError,
      );
      expect(() => {
        pair.client.emit({ path: 'x', interface: 'a.b', member: 'S', signature: 'h', body: [newMemfd()] });
      }).toThrow();
      await expect(pair.ask()).resolves.toBeDefined();
    }
    await expectNoNewFds(before);
  });

  test('without a handler, a call is answered as unknown', async () => {
    await using pair = await startPair(kind);
    const errorName = 'org.freedesktop.DBus.Error.UnknownMethod';
    await expect(pair.ask()).rejects.toMatchObject({ errorName });
    // MessageBus would answer these two by itself.
    for (const from of ['org.freedesktop.DBus.Peer', 'org.freedesktop.DBus.Introspectable'])
      await expect(pair.ask({ interface: from, member: 'Ping' })).rejects.toMatchObject({ errorName });
  });

  test('no answer in time is an error of its own, and the fds of a late answer are closed', async () => {
    const before = openFds();
    {
      await using pair = await startPair(kind, { callTimeout: 20 });
      const calls: IncomingCall[] = [];
      pair.service.handleCalls((call) => {
        calls.push(call);
        if (call.member === 'Answer') call.reply();
      });
      await expect(pair.ask()).rejects.toBeInstanceOf(BusTimeoutError);
      await expect(pair.ask({ timeout: 5 })).rejects.toThrow(naming('test.Test.Test', 5));
      for (const call of calls) call.reply('h', [newMemfd()]);
      // Messages keep their order: once this is answered, the late ones have come.
      await pair.ask({ member: 'Answer', timeout: Infinity });
      expect(pair.faults).toEqual([]);
    }
    await expectNoNewFds(before);
  });

  test('a caller that wants no reply gets none, and the service is told', async () => {
    await using pair = await startPair(kind);
    await using raw = await RawClient.connect(pair.bus.address);
    const seen: boolean[] = [];
    let undelivered = 0;
    pair.service.handleCalls((call) => {
      seen.push(call.expectsReply);
      call.reply('', [], () => {
        undelivered += 1;
      });
    });
    const fields = [field.path('/a'), field.member('M'), field.destination(pair.service.uniqueName)];
    await raw.sendMessage({ type: CALL, flags: 1, fields });
    const serial = await raw.sendMessage({ type: CALL, fields });
    // The first thing that comes back is the answer to the second.
    expect((await raw.read())?.header.member).toBe('NameAcquired');
    expect((await raw.read())?.header.replySerial).toBe(serial);
    expect([seen, undelivered]).toEqual([[false, true], 1]);
  });

  test('signals reach those who asked for them, until they stop', async () => {
    await using pair = await startPair(kind);
    const { client, service } = pair;
    const heard: IncomingSignal[] = [];
    const listener = await client.listen(
      `type='signal',sender='${service.uniqueName}',interface='a.b'`,
      ({ sender, interface: from }) => sender === service.uniqueName && from === 'a.b',
      (signal) => heard.push(signal),
    );
    const signal = { path: '/a', interface: 'a.b', member: 'S' } as const;
    service.emit({ ...signal, signature: 'u', body: [1] });
    service.emit({ ...signal, interface: 'a.c' });
    service.emit({ ...signal, signature: 'u', body: [2], destination: client.uniqueName });
    await until(() => heard.length === 2);
    await listener[Symbol.asyncDispose]();
    service.emit({ ...signal, destination: client.uniqueName });
    service.handleCalls((call) => {
      call.reply();
    });
    await pair.ask();
    expect(heard).toEqual([
      { sender: service.uniqueName, ...signal, signature: 'u', body: [1] },
      { sender: service.uniqueName, ...signal, signature: 'u', body: [2] },
    ]);
    await expect(
      client.listen(
        'nonsense',
        () => true,
        () => undefined,
      ),
    ).rejects.toBeInstanceOf(BusCallError);
  });

  test('a listener that throws does not keep others from hearing', async () => {
    await using pair = await startPair(kind);
    const heard = gate();
    const fail = (): never => {
      throw new Error('listener');
    };
    await pair.client.listen("member='S'", fail, () => undefined);
    await pair.client.listen("member='S'", () => true, fail);
    await pair.client.listen(
      "member='S'",
      () => true,
      () => {
        heard.open();
      },
    );
    pair.service.emit({ path: '/a', interface: 'a.b', member: 'S', destination: pair.client.uniqueName });
    await heard.opened;
    expect(pair.faults).toEqual([new Error('listener'), new Error('listener')]);
  });

  test('names are taken, refused, queued for and replaced', async () => {
    await using pair = await startPair(kind);
    const { client, service } = pair;
    expect(await requestName(service, 'a.b.C', { allowReplacement: true })).toBe('owner');
    expect(await requestName(service, 'a.b.C', { allowReplacement: true })).toBe('owner');
    expect(await requestName(client, 'a.b.C')).toBe('taken');
    expect(await requestName(client, 'a.b.C', { queue: true })).toBe('queued');
    expect(await requestName(client, 'a.b.C', { replace: true })).toBe('owner');
    await expect(requestName(client, 'nonsense')).rejects.toBeInstanceOf(BusCallError);
  });

  test('calls to a well-known name reach its owner', async () => {
    await using pair = await startPair(kind);
    await requestName(pair.service, 'a.b.C');
    pair.service.handleCalls((call) => {
      call.reply('s', ['here']);
    });
    expect((await pair.ask({ destination: 'a.b.C' })).body).toEqual(['here']);
  });

  test('the bus says who is behind a connection', async () => {
    await using pair = await startPair(kind);
    const { gids, ...others } = await getCredentials(pair.service, pair.client.uniqueName);
    expect(others).toEqual({ uid: process.getuid?.(), pid: process.pid });
    expect(new Set(gids)).toEqual(new Set([process.getgid?.(), ...(process.getgroups?.() ?? [])]));
    await expect(getCredentials(pair.service, ':9.999')).rejects.toBeInstanceOf(BusCallError);
  });

  test('after closing, nothing can be sent, and what waits is ended', async () => {
    const before = openFds();
    {
      await using pair = await startPair(kind);
      pair.service.handleCalls(() => undefined);
      const waiting = pair.ask();
      const rejected = expect(waiting).rejects.toBeInstanceOf(BusClosedError);
      await pair.client.close();
      await rejected;
      expect(await pair.client.closed).toBeUndefined();
      await expect(pair.ask({ signature: 'h', body: [newMemfd()] })).rejects.toBeInstanceOf(BusClosedError);
      expect(() => {
        pair.client.emit({ path: '/a', interface: 'a.b', member: 'S', signature: 'h', body: [newMemfd()] });
      }).toThrow(BusClosedError);
    }
    await expectNoNewFds(before);
  });

  test('both ends know the bus by the same id', async () => {
    await using pair = await startPair(kind);
    expect(pair.client.id).toMatch(/^[0-9a-f]{32}$/);
    expect(pair.client.id).toBe(pair.service.id);
    expect(pair.client.uniqueName).not.toBe(pair.service.uniqueName);
  });
});

test('a reply to a caller that has gone is reported by dbus-daemon', async () => {
  await using pair: BusPair = await startPair('dbus-daemon');
  const raw = await RawClient.connect(pair.bus.address);
  const called = gate<IncomingCall>();
  pair.service.handleCalls(called.open);
  const fields = [field.path('/a'), field.member('M'), field.destination(pair.service.uniqueName)];
  await raw.sendMessage({ type: CALL, fields });
  const call = await called.opened;
  const gone = gate();
  await pair.service.listen(
    `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${raw.name}'`,
    ({ member }) => member === 'NameOwnerChanged',
    () => {
      gone.open();
    },
  );
  raw.close();
  await gone.opened;
  const undelivered = gate();
  call.reply('h', [newMemfd()], undelivered.open);
  await undelivered.opened;
});
