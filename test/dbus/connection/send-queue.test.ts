import fc from 'fast-check';
import { expect, test } from 'vitest';

import { SendQueue } from '../../../dbus/connection/send-queue.js';
import type { OwnedFd } from '../../../dbus/owned-fd.js';
import { newMemfd } from '../../harness/sockets.js';

test('whatever the socket takes at a time, bytes keep their order and fds go with the first of their message', () => {
  const message = fc.record({ length: fc.integer({ min: 1, max: 40 }), fds: fc.nat(2) });
  const answers = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constantFrom('blocked', 'exhausted')),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), answers, (messages, takes) => {
      const queue = new SendQueue();
      const packets = messages.map(({ length, fds }, i) => ({
        bytes: Buffer.alloc(length, i),
        fds: Array.from({ length: fds }, () => newMemfd()),
      }));
      const sent: { byte: number | undefined; fds: readonly OwnedFd[] }[] = [];
      const plan = [...takes];
      const send = (bytes: Buffer, fds: readonly OwnedFd[]): number | 'blocked' | 'exhausted' => {
        expect(fds.every((fd) => fd.open)).toBe(true);
        const take = plan.shift() ?? Infinity;
        if (typeof take === 'string') return take;
        const count = Math.min(take, bytes.length);
        for (let i = 0; i < count; i++) sent.push({ byte: bytes[i], fds: i === 0 ? fds : [] });
        return count;
      };
      for (const packet of packets) {
        const bytes = Buffer.from(packet.bytes);
        if (queue.bytes === 0) queue.pass({ ...packet, bytes }, send);
        else queue.push({ ...packet, bytes });
        // Whoever wrote the message writes the next one in its place.
        bytes.fill(0xff);
        if (plan.length > 0) queue.flush(send);
      }
      while (queue.flush(send) !== 'empty') expect(queue.bytes).toBeGreaterThan(0);
      expect({ bytes: queue.bytes, fds: queue.fds }).toEqual({ bytes: 0, fds: 0 });
      const expected = packets.flatMap(({ bytes, fds }) =>
        [...bytes].map((byte, i) => ({ byte, fds: i === 0 ? fds : [] })),
      );
      expect(sent).toEqual(expected);
      expect(packets.flatMap(({ fds }) => fds).filter((fd) => fd.open)).toEqual([]);
    }),
  );
});

test('fds are open until the first byte of their message has gone, and closed then', () => {
  const queue = new SendQueue();
  const fd = newMemfd();
  queue.push({ bytes: Buffer.alloc(10), fds: [fd] });
  expect(queue.flush(() => 'blocked')).toBe('blocked');
  expect([fd.open, queue.fds]).toEqual([true, 1]);
  let first = true;
  queue.flush(() => {
    if (!first) return 'blocked';
    first = false;
    return 1;
  });
  expect([fd.open, queue.fds, queue.bytes]).toEqual([false, 0, 9]);
});

test('what is given up is closed, and those who want to know are told', () => {
  const queue = new SendQueue();
  const fd = newMemfd();
  const told: number[] = [];
  for (const i of [0, 1, 2])
    queue.push({ bytes: Buffer.alloc(4), fds: i === 1 ? [fd] : [], dropped: () => told.push(i) });
  const takes = [4, 2];
  queue.flush(() => takes.shift() ?? 'blocked');
  queue.clear();
  // The first had gone; of the second only a part.
  expect(told).toEqual([1, 2]);
  expect([fd.open, queue.bytes, queue.fds]).toEqual([false, 0, 0]);
  expect(queue.flush(() => 1)).toBe('empty');
});

test('a socket that fails loses nothing: the queue can still be given up', () => {
  const queue = new SendQueue();
  const fd = newMemfd();
  queue.push({ bytes: Buffer.alloc(4), fds: [fd] });
  expect(() =>
    queue.flush(() => {
      throw new Error('gone');
    }),
  ).toThrow('gone');
  expect(fd.open).toBe(true);
  queue.clear();
  expect(fd.open).toBe(false);
});
