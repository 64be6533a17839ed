import { fstatSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { BusClosedError, type IncomingCall, type Reply } from '../../../dbus/connection/bus-types.js';
import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { startPair } from '../../harness/bus-pair.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import { busKinds } from '../../harness/private-bus.js';
import { newMemfd } from '../../harness/sockets.js';

const inode = (fd: OwnedFd): bigint => BigInt(fstatSync(fd.number).ino);
const newFds = (count: number): OwnedFd[] => Array.from({ length: count }, () => newMemfd());

/** Answers with new files, and names them in the body. */
function replyWithFds(call: IncomingCall): void {
  const fds = newFds(Number(call.body[0]));
  call.reply('atah', [fds.map(inode), fds]);
}

/** Whether the fds that came are those that the body names. */
function matches({ body: [inodes], fds }: Pick<Reply, 'body' | 'fds'>): boolean {
  return (
    JSON.stringify(fds.map((fd) => String(inode(fd)))) === JSON.stringify((inodes as bigint[]).map(String))
  );
}

describe.each(busKinds())('%s', (kind) => {
  test('0 to 16 fds go there and come back as the files they are', async () => {
    const before = openFds();
    {
      await using pair = await startPair(kind);
      pair.service.handleCalls((call) => {
        const fds = call.fds.takeAll();
        call.reply('batah', [matches({ body: call.body, fds }), fds.map(inode), fds]);
      });
      for (let count = 0; count <= 16; count++) {
        const fds = newFds(count);
        const reply = await pair.ask({ signature: 'atah', body: [fds.map(inode), fds] });
        expect(fds.every((fd) => !fd.open)).toBe(true);
        expect(reply.body[0]).toBe(true);
        expect(reply.fds).toHaveLength(count);
        expect(matches({ ...reply, body: reply.body.slice(1) })).toBe(true);
        closeAll(reply.fds);
      }
      expect(pair.faults).toEqual([]);
    }
    await expectNoNewFds(before);
  });

  test.each([1, 8, 32])(
    'thousands of calls, %d in flight: every reply has its own fds, none leaks',
    async (width) => {
      const before = openFds();
      const calls = 7000;
      {
        await using pair = await startPair(kind);
        pair.service.handleCalls(replyWithFds);
        let next = 0;
        let wrong = 0;
        const caller = async (): Promise<void> => {
          while (next < calls) {
            const reply = await pair.ask({ signature: 'u', body: [next++ % 4] });
            if (!matches(reply)) wrong += 1;
            closeAll(reply.fds);
          }
        };
        await Promise.all(Array.from({ length: width }, caller));
        expect({ next, wrong }).toEqual({ next: calls, wrong: 0 });
        expect(pair.faults).toEqual([]);
      }
      await expectNoNewFds(before);
    },
  );

  test('calls with and without fds mix, in both directions at once', async () => {
    const before = openFds();
    {
      await using pair = await startPair(kind);
      const { client, service } = pair;
      const check = (call: IncomingCall): void => {
        const fds = call.fds.takeAll();
        const right = matches({ body: call.body, fds });
        closeAll(fds);
        call.reply('b', [right]);
      };
      service.handleCalls(check);
      client.handleCalls(check);
      const ask = async (i: number): Promise<Reply> => {
        const fds = newFds(i % 3);
        const [from, to] = i % 2 === 0 ? [client, service] : [service, client];
        const call = { path: '/a', interface: 'a.b', member: 'M', destination: to.uniqueName };
        return from.call({ ...call, signature: 'atah', body: [fds.map(inode), fds] });
      };
      // dbus-daemon lets 128 calls of one connection wait for their replies.
      for (let round = 0; round < 5; round++) {
        const answers = await Promise.all(Array.from({ length: 200 }, async (_, i) => ask(i)));
        expect(answers.filter(({ body: [right] }) => right !== true)).toEqual([]);
      }
    }
    await expectNoNewFds(before);
  });

  test('fds that the handler does not take are closed when it returns', async () => {
    const before = openFds();
    {
      await using pair = await startPair(kind);
      let kept: IncomingCall | undefined;
      pair.service.handleCalls((call) => {
        kept = call;
        call.fds.take(1).close();
        expect(() => call.fds.take(1)).toThrow(RangeError);
        expect(() => call.fds.take(3)).toThrow(RangeError);
        call.reply();
      });
      await pair.ask({ signature: 'ah', body: [newFds(3)] });
      expect(kept?.fds.count).toBe(3);
      expect(() => kept?.fds.take(0)).toThrow(RangeError);
      expect(kept?.fds.takeAll()).toEqual([]);
      expect(pair.faults).toEqual([]);
    }
    await expectNoNewFds(before);
  });
});

test('17 fds: dbus-daemon disconnects whoever sends them, who is told and lives on', async () => {
  const before = openFds();
  {
    await using pair = await startPair('dbus-daemon');
    pair.service.handleCalls(replyWithFds);
    await expect(pair.ask({ signature: 'u', body: [17] })).rejects.toThrow();
    expect(await pair.service.closed).toBeInstanceOf(BusClosedError);
  }
  await expectNoNewFds(before);
});

test.runIf(busKinds().includes('dbus-broker'))(
  '253 fds go through dbus-broker, and 254 go nowhere',
  async () => {
    const before = openFds();
    {
      await using pair = await startPair('dbus-broker');
      pair.service.handleCalls(replyWithFds);
      const reply = await pair.ask({ signature: 'u', body: [253] });
      expect(matches(reply)).toBe(true);
      closeAll(reply.fds);
      await expect(pair.ask({ signature: 'u', body: [254] })).rejects.toMatchObject({
        errorName: 'org.freedesktop.DBus.Error.Failed',
      });
      expect(pair.faults).toMatchObject([{ name: 'WireError', code: 'descriptors' }]);
    }
    await expectNoNewFds(before);
  },
);
