import { fstatSync } from 'node:fs';

import { expect, onTestFinished, test } from 'vitest';

import { connectBus } from '../../../dbus/connection/bus.js';
import { connectChannel } from '../../../dbus/connection/channel-client.js';
import { BusClosedError, type Bus, type IncomingCall } from '../../../dbus/connection/bus-types.js';
import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { FakeServer } from '../../harness/fake-server.js';
import { until } from '../../harness/gate.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import { RawClient } from '../../harness/raw-client.js';
import { CALL, field, marshal, SIGNAL } from '../../harness/raw-message.js';
import { newMemfd } from '../../harness/sockets.js';

const OWNER = ':1.7';

/** A connection to a bus that does nothing, and all the calls that come over its channels. */
async function served(): Promise<{ readonly bus: Bus; readonly calls: IncomingCall[] }> {
  const server = new FakeServer();
  const [bus, peer] = await Promise.all([connectBus(server.address), server.acceptGreeted()]);
  onTestFinished(async () => {
    peer.close();
    await bus.close();
    await server[Symbol.asyncDispose]();
  });
  const calls: IncomingCall[] = [];
  bus.handleCalls((call) => {
    calls.push(call);
  });
  return { bus, calls };
}

const PING = [field.path('/a'), field.interface('a.b'), field.member('Ping')];

test('a call comes with the owner as its sender, whatever it says, and its answer names nobody', async () => {
  const { bus, calls } = await served();
  const { client } = bus.openChannel(OWNER);
  await using peer = await RawClient.over(client);
  const said = [...PING, field.sender(':1.1'), field.destination('org.example')];
  for (const fields of [PING, said, said]) {
    const serial = await peer.sendMessage({ type: CALL, fields });
    await until(() => calls.length > 0);
    const call = calls.pop();
    expect(call).toMatchObject({ sender: OWNER, overChannel: true, member: 'Ping' });
    call?.reply('s', ['pong']);
    const { header, body } = await peer.answerTo(serial);
    expect(body).toEqual(['pong']);
    expect([header.sender, header.destination]).toEqual([undefined, undefined]);
  }
});

test('descriptors that a client sends never come in, and what claims them is refused', async () => {
  const { bus, calls } = await served();
  const { client } = bus.openChannel(OWNER);
  await using peer = await RawClient.over(client);
  const before = openFds();
  const fd = newMemfd();
  const message = { type: CALL, fields: [...PING, field.unixFds(1)] };
  // From Linux 6.16 on, the kernel refuses to send them (SO_PASSRIGHTS).
  const sent = await peer.sendMessage(message, [fd]).catch(() => undefined);
  if (sent !== undefined) {
    const { header } = await peer.answerTo(sent);
    expect(header.errorName).toBe('org.freedesktop.DBus.Error.InvalidArgs');
  }
  fd.close();
  expect(calls).toEqual([]);
  await expectNoNewFds(before);
});

test('messages that are no calls are ignored, and a call after them is answered', async () => {
  const { bus, calls } = await served();
  const { client } = bus.openChannel(OWNER);
  await using peer = await RawClient.over(client);
  await peer.sendMessage({ type: SIGNAL, fields: PING });
  await peer.sendMessage({ type: 2, fields: [field.replySerial(1)] });
  await peer.sendMessage({ type: CALL, fields: PING });
  await until(() => calls.length === 1);
});

test('arguments of more than 128 KiB are refused, and the channel goes on', async () => {
  const { bus, calls } = await served();
  const { client } = bus.openChannel(OWNER);
  await using peer = await RawClient.over(client);
  const body = marshal('s', ['x'.repeat(131_072)]);
  const serial = await peer.sendMessage({ type: CALL, fields: [...PING, field.signature('s')], body });
  const { header } = await peer.answerTo(serial);
  expect(header.errorName).toBe('org.freedesktop.DBus.Error.LimitsExceeded');
  await peer.sendMessage({ type: CALL, fields: PING });
  await until(() => calls.length === 1);
});

test('what is no message ends the channel, and no other', async () => {
  const { bus, calls } = await served();
  const [bad, good] = [bus.openChannel(OWNER), bus.openChannel(OWNER)];
  await using broken = await RawClient.over(bad.client);
  await using peer = await RawClient.over(good.client);
  await broken.send('this is no message of D-Bus');
  expect((await bad.channel.closed)?.reason).toBe('no-message');
  await peer.sendMessage({ type: CALL, fields: PING });
  await until(() => calls.length === 1);
});

/** Answers every call with so many descriptors. */
function answering(bus: Bus, count: number): { readonly answered: () => number } {
  let answered = 0;
  bus.handleCalls((call) => {
    answered += 1;
    call.reply('ah', [Array.from({ length: count }, () => newMemfd())]);
  });
  return { answered: () => answered };
}

test('a client that never reads is answered four times 64 descriptors; what it asks beyond waits for it to read', async () => {
  const { bus } = await served();
  const { answered } = answering(bus, 64);
  const { client } = bus.openChannel(OWNER);
  await using lazy = await RawClient.over(client);
  const before = openFds();
  const serials = [];
  for (let i = 0; i < 8; i += 1) serials.push(await lazy.sendMessage({ type: CALL, fields: PING }));
  // The fifth answer is not sent, and nothing is asked for a sixth.
  await until(() => answered() === 5);
  await using other = await RawClient.over(bus.openChannel(OWNER).client);
  const serial = await other.sendMessage({ type: CALL, fields: PING });
  closeAll((await other.answerTo(serial)).fds);
  expect(answered()).toBe(6);
  const inodes = new Set<number>();
  for (const asked of serials) {
    const { fds } = await lazy.answerTo(asked);
    for (const fd of fds) inodes.add(fstatSync(fd.number).ino);
    closeAll(fds);
  }
  expect(inodes.size).toBe(8 * 64);
  lazy.close();
  other.close();
  await expectNoNewFds(before);
});

test('a client and its channel carry calls, errors and descriptors, and its end ends what waits', async () => {
  const { bus } = await served();
  const given: OwnedFd[] = [];
  bus.handleCalls((call) => {
    if (call.member === 'Wait') return;
    if (call.member === 'Fail') call.error('a.b.Failed', 'it failed');
    else call.reply('ah', [[newMemfd('given')]]);
  });
  const { channel, client: fd } = bus.openChannel(OWNER);
  const client = await connectChannel(fd, new AbortController().signal, {
    callTimeout: 20_000,
    onFault: () => undefined,
  });
  const call = { path: '/a', interface: 'a.b', member: 'Give' };
  const replies = await Promise.all(Array.from({ length: 20 }, () => client.call(call)));
  given.push(...replies.flatMap(({ fds }) => fds));
  expect(given).toHaveLength(20);
  closeAll(given);
  await expect(client.call({ ...call, member: 'Fail' })).rejects.toMatchObject({ errorName: 'a.b.Failed' });
  await expect(client.call({ ...call, member: 'Wait', timeout: 10 })).rejects.toMatchObject({
    name: 'BusTimeoutError',
  });
  const waiting = client.call({ ...call, member: 'Wait' });
  await channel.close();
  await expect(waiting).rejects.toMatchObject({ name: 'BusClosedError' });
  expect(await client.closed).toBeInstanceOf(BusClosedError);
});
