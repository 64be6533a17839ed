import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { errorName } from '../../dbus/errors.js';
import { RawClient } from '../harness/raw-client.js';
import { rawMessage } from '../harness/raw-message.js';
import { answerTo, expectError, HostileRig } from './hostile-rig.js';
import { call, CPU, image, o, PAGE, request, s, t, u } from '../harness/hostile/values.js';

const NO_REPLY = 1;
const NOBODY = 65_534;

let rig: HostileRig;
beforeAll(async () => {
  rig = await HostileRig.start({ shared: true });
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

/** A client of another user where the tests may become one, because uid 0 is an administrator; else of the same. */
async function connectStranger(): Promise<RawClient> {
  if (process.geteuid?.() !== 0) return rig.connect();
  process.seteuid?.(NOBODY);
  let connection: Promise<RawClient>;
  try {
    // The kernel notes who connects when it happens, which is before this returns.
    connection = RawClient.connect(rig.bus.address);
  } finally {
    process.seteuid?.(0);
  }
  return connection;
}

const release = (path: string): ReturnType<typeof call> =>
  call({ member: 'Release', signature: 'o', body: [path] });

describe("another's allocation", () => {
  it('is neither released nor extended', async () => {
    const { path } = await rig.allocate();
    await using stranger = await connectStranger();
    const refused = errorName('UnknownAllocation');
    expectError(await rig.ask(stranger, release(path)), refused, 'allocation');
    const extend = request('Allocate', [], [o('extends', path), u('count', 1)]);
    expectError(await rig.ask(stranger, extend), refused, 'allocation');
    expect(await rig.property('LiveBuffers')).toBe(1n);
    await rig.broker('Release', 'o', [path]);
    await rig.expectUnharmed();
  });

  it('is not extended by another connection of the same user', async () => {
    const { path } = await rig.allocate();
    await using other = await rig.connect();
    const extend = request('Allocate', [], [o('extends', path), u('count', 1)]);
    expectError(await rig.ask(other, extend), errorName('UnknownAllocation'), 'allocation');
    expect(await rig.property('LiveBuffers')).toBe(1n);
    await rig.broker('Release', 'o', [path]);
    await rig.expectUnharmed();
  });

  it('is not seen by another user', async (context) => {
    context.skip(process.geteuid?.() !== 0, 'only uid 0 can become another user');
    const { path } = await rig.allocate();
    await using stranger = await connectStranger();
    const answer = await rig.ask(
      stranger,
      call({
        path,
        interface: 'org.freedesktop.DBus.Properties',
        member: 'GetAll',
        signature: 's',
        body: [''],
      }),
    );
    expectError(answer, 'org.freedesktop.DBus.Error.UnknownObject', 'object');
    await rig.broker('Release', 'o', [path]);
    await rig.expectUnharmed();
  });
});

describe('an allocation', () => {
  it('is released once', async () => {
    await using client = await rig.connect();
    const answer = await rig.ask(client, request('Allocate', CPU, PAGE));
    if (answer.kind !== 'reply') throw new Error(`Allocate: ${JSON.stringify(answer)}`);
    const [path] = answer.body;
    if (typeof path !== 'string') throw new Error('Allocate gave no path');
    expect((await rig.ask(client, release(path))).kind).toBe('reply');
    expectError(await rig.ask(client, release(path)), errorName('UnknownAllocation'), 'allocation');
    expectError(
      await rig.ask(client, request('Allocate', [], [o('extends', path), u('count', 1)])),
      errorName('UnknownAllocation'),
      'allocation',
    );
    await rig.expectUnharmed();
  });

  it('that wants no reply is not made', async () => {
    await using client = await rig.connect();
    for (let i = 0; i < 20; i++)
      await client.sendMessage({ ...request('Allocate', CPU, PAGE), flags: NO_REPLY });
    const kept = await rig.tell(client, { ...request('Allocate', CPU, PAGE), flags: NO_REPLY });
    expect(kept).toBe(true);
    await rig.expectUnharmed();
  });

  it('ends when its owner leaves without reading the reply', async () => {
    for (let i = 0; i < 100; i++) {
      await using client = await rig.connect();
      for (let calls = 0; calls <= i % 5; calls++)
        await client.sendMessage(request('Allocate', CPU, [...PAGE, u('count', 1 + (i % 16))]));
      // Now and then the daemon has it before the owner goes.
      if (i % 3 === 0) await rig.tell(client, release('/x'));
    }
    await rig.expectUnharmed();
  });

  it('ends when its owner leaves in the middle of a message', async () => {
    for (const cut of [1, 15, 16, 100]) {
      await using client = await rig.connect();
      await client.sendMessage(request('Allocate', CPU, PAGE));
      const bytes = rawMessage({ ...request('Allocate', CPU, image()), serial: client.nextSerial() });
      await client.send(bytes.subarray(0, cut));
    }
    await rig.expectUnharmed();
  });
});

describe('a flood', () => {
  it('of 2,000 bad requests is answered one by one', async () => {
    const bad = [
      request('Allocate', CPU, image(u('width', 0))),
      request('Explain', [['/dev/dri/card9', []]], PAGE),
      request('Allocate', CPU, [t('size', 2n ** 64n - 1n)]),
      request('Allocate', CPU, image(s('format', 'ZZZZ'))),
      release('/org/dmabroker1/allocation/0'),
      call({ member: 'Nothing' }),
    ];
    // A bus takes 128 calls at a time of one connection that were not answered (max_replies_per_connection).
    const clients = await Promise.all(Array.from({ length: 20 }, () => rig.connect()));
    const serials = await Promise.all(
      clients.map(async (client) => {
        const sent = Array.from({ length: 100 }, (_, i) => ({
          ...(bad[i % bad.length] ?? call({ member: 'Nothing' })),
          serial: client.nextSerial(),
        }));
        await client.send(Buffer.concat(sent.map((message) => rawMessage(message))));
        return sent.map(({ serial }) => serial);
      }),
    );
    for (const [i, client] of clients.entries()) {
      const missing = new Set(serials[i]);
      while (missing.size > 0) {
        const [serial = 0] = missing;
        // Answers may come in another order than the calls; each serial is one of this list.
        const answer = await nextAnswer(client, missing);
        expect(answer, `${serial}`).toMatch(/^org\.(dmabroker1|freedesktop\.DBus)\.Error\./);
        expect(answer).not.toMatch(/Internal|LimitsExceeded|NoReply|Failed/);
      }
      client.close();
    }
    await rig.expectUnharmed();
  });

  it('of calls whose sender reads no answer does not stop the others', async () => {
    await using client = await rig.connect();
    const serials = Array.from({ length: 100 }, () => client.nextSerial());
    for (const serial of serials)
      await client.send(rawMessage({ ...request('Explain', CPU, image()), serial }));
    await rig.expectUnharmed();
    const [last = 0] = serials.slice(-1);
    expect((await answerTo(client, last)).kind).toBe('reply');
  });
});

/** Error name of the next answer to one of the calls, which is taken out. */
async function nextAnswer(client: RawClient, missing: Set<number>): Promise<string> {
  for (;;) {
    const message = await client.read();
    if (message === undefined) throw new Error('the bus ended the connection');
    for (const fd of message.fds) fd.close();
    const { replySerial = 0, errorName: name = 'no error' } = message.header;
    if (missing.delete(replySerial)) return name;
  }
}
