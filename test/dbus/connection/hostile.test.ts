import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { requestName } from '../../../dbus/connection/bus.js';
import {
  BusTimeoutError,
  type IncomingCall,
  type IncomingSignal,
} from '../../../dbus/connection/bus-types.js';
import { startPair, type BusPair } from '../../harness/bus-pair.js';
import { until } from '../../harness/gate.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import { busKinds } from '../../harness/private-bus.js';
import { RawClient } from '../../harness/raw-client.js';
import {
  CALL,
  ERROR,
  field,
  marshal,
  rawMessage,
  REPLY,
  SIGNAL,
  type RawField,
  type RawMessage,
} from '../../harness/raw-message.js';
import { newMemfd } from '../../harness/sockets.js';

const INVALID_ARGS = 'org.freedesktop.DBus.Error.InvalidArgs';
const LIMITS = 'org.freedesktop.DBus.Error.LimitsExceeded';

/** A service that answers every call with its arguments, and a client that may send anything. */
interface Scene extends AsyncDisposable {
  readonly pair: BusPair;
  readonly raw: RawClient;
  readonly calls: IncomingCall[];
  /** Fields of a message to the service. */
  readonly to: (member: string, signature?: string) => RawField[];
}

async function startScene(kind: 'dbus-daemon' | 'dbus-broker'): Promise<Scene> {
  const pair = await startPair(kind);
  const raw = await RawClient.connect(pair.bus.address);
  const calls: IncomingCall[] = [];
  pair.service.handleCalls((call) => {
    calls.push(call);
    call.reply('u', [call.fds.count]);
  });
  return {
    pair,
    raw,
    calls,
    to: (member, signature) => [
      field.path('/a'),
      field.interface('a.b'),
      field.member(member),
      field.destination(pair.service.uniqueName),
      ...(signature === undefined ? [] : [field.signature(signature)]),
    ],
    [Symbol.asyncDispose]: async () => {
      raw.close();
      await pair[Symbol.asyncDispose]();
    },
  };
}

describe.each(busKinds())('%s', (kind) => {
  test('an fd index without an fd: a call is answered with an error, a signal is dropped, nothing breaks', async () => {
    await using scene = await startScene(kind);
    const { pair, raw, calls, to } = scene;
    const heard: IncomingSignal[] = [];
    await pair.service.listen(
      "member='Fd'",
      () => true,
      (signal) => heard.push(signal),
    );
    const body = marshal('h', [0]);
    await raw.sendMessage({ type: SIGNAL, fields: to('Fd', 'h'), body });
    const serial = await raw.sendMessage({ type: CALL, fields: to('Fd', 'h'), body });
    const answer = await raw.answerTo(serial);
    expect(answer.header).toMatchObject({ type: ERROR, errorName: INVALID_ARGS });
    expect(answer.body).toEqual([expect.any(String)]);
    expect([calls, heard]).toEqual([[], []]);
    await expect(pair.ask()).resolves.toBeDefined();
  });

  test('fds that a call names twice, or not at all, are closed', async () => {
    const before = openFds();
    {
      await using scene = await startScene(kind);
      const { raw, to, pair } = scene;
      using fd = newMemfd();
      const send = async (fields: Scene['to'], signature: string, body: Buffer): Promise<number> =>
        raw.sendMessage({ fields: [...fields('M', signature), field.unixFds(2)], body }, [fd, fd]);
      for (const body of [marshal('hh', [1, 1]), marshal('hh', [0, 1])]) {
        const answer = await raw.answerTo(await send(to, 'hh', body));
        expect(answer.body).toEqual([2]);
      }
      const none = await raw.answerTo(await send(to, 'u', marshal('u', [0])));
      expect(none.body).toEqual([2]);
      const wrong = await raw.answerTo(await send(to, 'h', marshal('h', [2])));
      expect(wrong.header.errorName).toBe(INVALID_ARGS);
      await raw.sendMessage(
        { type: SIGNAL, fields: [...to('S', 'h'), field.unixFds(1)], body: marshal('h', [0]) },
        [fd],
      );
      await pair.ask();
      expect(pair.faults).toEqual([]);
    }
    await expectNoNewFds(before);
  });

  test('a call that is too long, or has too much in it, is refused; its fds are closed', async () => {
    const before = openFds();
    {
      await using scene = await startScene(kind);
      const { raw, to, calls } = scene;
      using fd = newMemfd();
      const large = marshal('sh', ['x'.repeat(2 ** 20), 0]);
      const fields = [...to('M', 'sh'), field.unixFds(1)];
      const first = await raw.answerTo(await raw.sendMessage({ fields, body: large }, [fd]));
      expect(first.header).toMatchObject({ type: ERROR, errorName: LIMITS });
      const many = marshal('ay', [Array.from({ length: 40_000 }, () => 0)]);
      const second = await raw.answerTo(await raw.sendMessage({ fields: to('M', 'ay'), body: many }));
      expect(second.header).toMatchObject({ type: ERROR, errorName: LIMITS });
      const small = marshal('sh', ['x'.repeat(1000), 0]);
      const third = await raw.answerTo(await raw.sendMessage({ fields, body: small }, [fd]));
      expect(third.body).toEqual([1]);
      expect(calls).toHaveLength(1);
    }
    await expectNoNewFds(before);
  });

  test('answers that nobody asked for end no call, whoever sends them', async () => {
    await using scene = await startScene(kind);
    const { raw, pair } = scene;
    const target = field.destination(pair.client.uniqueName);
    const calls: IncomingCall[] = [];
    pair.service.handleCalls((call) => calls.push(call));
    await requestName(pair.service, 'a.b.C');
    // By a well-known name, because then the sender of an answer tells nothing.
    const answers = [pair.ask({ destination: 'a.b.C' }), pair.ask()];
    // Our client's serials are small numbers, easy to guess; a call or signal that claims to be an answer is none, either.
    for (let serial = 1; serial < 20; serial++) {
      const fields = [target, field.replySerial(serial), field.signature('s')];
      const body = marshal('s', ['spoofed']);
      for (const type of [REPLY, CALL, SIGNAL]) {
        const named = type === REPLY ? [] : [field.path('/a'), field.interface('a.b'), field.member('M')];
        await raw.sendMessage({ type, flags: 1, fields: [...fields, ...named], body });
      }
      await raw.sendMessage({ type: ERROR, flags: 1, fields: [...fields, field.errorName('a.b')], body });
    }
    await raw.callDriver('GetId');
    // The bus has passed on all of it, so that the true answers come after.
    await until(() => calls.length === 2);
    for (const call of calls) call.reply('s', ['true']);
    for (const answer of answers) expect((await answer).body).toEqual(['true']);
  });

  test('big-endian callers are understood', async () => {
    await using scene = await startScene(kind);
    const { raw, to, calls } = scene;
    const body = marshal('a{sv}', [[['width', ['u', 1920]]]], false);
    await raw.answerTo(await raw.sendMessage({ order: 'B', fields: to('M', 'a{sv}'), body }));
    expect(calls[0]?.body).toEqual([[['width', { signature: 'u', value: 1920 }]]]);
  });

  // Whatever a bus lets through is contained: a message that it does not disconnects its sender, not the service.
  test('no message that anybody sends breaks the service', async () => {
    await using scene = await startScene(kind);
    const { pair } = scene;
    const oddity: fc.Arbitrary<Partial<RawMessage>> = fc.record(
      {
        type: fc.nat(255),
        flags: fc.nat(255),
        order: fc.constantFrom('l', 'B', 'x'),
        bodyLength: fc.nat(64),
        fieldsLength: fc.nat(128),
        body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      },
      { requiredKeys: [] },
    );
    const extra = fc.record({
      code: fc.nat(12),
      signature: fc.constantFrom('s', 'u', 'o', 'g'),
      value: fc.constantFrom('a.b', '/', 'h', 'a{sv}', 1, 0),
    });
    await fc.assert(
      fc.asyncProperty(oddity, fc.array(extra, { maxLength: 2 }), fc.nat(2), async (parts, extras, count) => {
        await using raw = await RawClient.connect(pair.bus.address);
        const typed = extras.filter(
          ({ signature, value }) => (signature === 'u') === (typeof value === 'number'),
        );
        const fields = [...scene.to('M', 'ah'), ...typed, ...(count > 0 ? [field.unixFds(count)] : [])];
        const fds = Array.from({ length: count }, () => newMemfd());
        await sendAnyway(raw, rawMessage({ serial: raw.nextSerial(), fields, ...parts }), fds);
        await expect(pair.ask()).resolves.toBeDefined();
      }),
      { numRuns: 150 },
    );
    expect(pair.faults).toEqual([]);
  });
});

/** Sends what may get the sender disconnected. */
async function sendAnyway(raw: RawClient, bytes: Buffer, fds: readonly OwnedFd[]): Promise<void> {
  try {
    await raw.send(bytes, fds);
  } catch (error) {
    expect(error).toMatchObject({ code: 'EPIPE' });
  } finally {
    closeAll(fds);
  }
}

test('a client that does not read its replies: what waits is bounded, told of and closed when it goes', async () => {
  const before = openFds();
  {
    await using scene = await startScene('dbus-daemon');
    const { raw, pair, to } = scene;
    const perCall = 16;
    let handled = 0;
    let undelivered = 0;
    pair.service.handleCalls((call) => {
      handled += 1;
      call.reply('ah', [Array.from({ length: perCall }, () => newMemfd())], () => {
        undelivered += 1;
      });
    });
    const open = openFds().size;
    const sending = (async () => {
      for (let i = 0; i < 1000; i++) await raw.sendMessage({ fields: to('M') });
    })();
    await sending;
    // dbus-daemon reads no more from a service whose fds wait in its queues; the service then reads no more calls.
    await expect(pair.ask({ timeout: 300 })).rejects.toBeInstanceOf(BusTimeoutError);
    expect(handled).toBeLessThan(1000);
    expect(openFds().size - open).toBeLessThan(256 + 3 * perCall);
    raw.close();
    const reply = await pair.ask();
    closeAll(reply.fds);
    expect(undelivered).toBeGreaterThan(0);
    expect(pair.faults).toEqual([]);
  }
  await expectNoNewFds(before);
});
