import fc from 'fast-check';
import { expect, test } from 'vitest';

import { SignatureCache } from '../../../dbus/connection/signature-cache.js';
import { MessageWriter, type OutgoingMessage } from '../../../dbus/connection/message-writer.js';
import { Prepared } from '../../../dbus/connection/prepared.js';
import type { WireValue } from '../../../dbus/connection/bus-types.js';
import { newMemfd } from '../../harness/sockets.js';
import { field, marshal, rawMessage, REPLY, SIGNAL } from '../../harness/raw-message.js';

const newWriter = (): MessageWriter => new MessageWriter(new SignatureCache());
const reply = (serial: number, signature: string, ...body: WireValue[]): OutgoingMessage => ({
  type: REPLY,
  flags: 1,
  serial,
  replySerial: serial + 1000,
  destination: ':1.2',
  signature,
  body,
});

test('replies that differ in their numbers alone are written as if each were the first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 2 ** 31 }), { maxLength: 5 }), (serials) => {
      const writer = newWriter();
      for (const serial of serials) {
        const { bytes } = writer.write(reply(serial, 'us', serial, 'x'.repeat(serial % 7)));
        const fields = [field.replySerial(serial + 1000), field.destination(':1.2'), field.signature('us')];
        const body = marshal('us', [serial, 'x'.repeat(serial % 7)]);
        expect(bytes.equals(rawMessage({ type: REPLY, flags: 1, serial, fields, body }))).toBe(true);
      }
    }),
  );
});

test('signals are written as if each were the first', () => {
  const text = fc.constantFrom('a', 'bc', 'def');
  const signals = fc.array(
    fc.record({ path: text, from: text, member: text, to: text, words: fc.array(text) }),
  );
  fc.assert(
    fc.property(signals, (told) => {
      const writer = newWriter();
      told.forEach(({ path, from, member, to, words }, index) => {
        const signature = 's'.repeat(words.length);
        const names = { path: `/${path}`, interface: `x.${from}`, member, destination: `x.${to}` };
        const signal = { type: SIGNAL, flags: 1, serial: index + 1, ...names, signature, body: words };
        const { bytes } = writer.write(signal);
        expect(bytes.equals(newWriter().write(signal).bytes)).toBe(true);
      });
    }),
  );
});

test('a reply with another number of fds has another header', () => {
  const writer = newWriter();
  using one = newMemfd();
  using two = newMemfd();
  const header = (...fds: WireValue[]): string =>
    writer.write(reply(1, 'ah', fds)).bytes.toString('latin1', 12, 64);
  expect(new Set([header(one), header(one, two), header(one), header()]).size).toBe(3);
});

test('what is prepared is written as what it is made of, wherever it stands', () => {
  const dict = [
    ['size', { signature: 't', value: 4096n }],
    ['planes', { signature: 'a(tu)', value: [[0n, 64]] }],
  ] as const;
  const prepared = new Prepared<readonly WireValue[]>(() => dict);
  const writer = newWriter();
  for (const path of ['/a', '/ab', '/abcde', '/abcdef', '/a', '/abcde']) {
    const plain = newWriter().write(reply(1, 'oa{sv}v', path, dict, { signature: 'a{sv}', value: dict }));
    const ready = writer.write(reply(1, 'oa{sv}v', path, prepared, { signature: 'a{sv}', value: prepared }));
    expect(ready.bytes.equals(plain.bytes)).toBe(true);
  }
});

test('what is prepared under one type is written anew under another, and holds no fds', () => {
  const writer = newWriter();
  const prepared = new Prepared<readonly WireValue[]>(() => [1, 2]);
  expect(writer.write(reply(1, 'au', prepared)).bytes.at(-4)).toBe(2);
  expect(writer.write(reply(1, 'ay', prepared)).bytes.subarray(-2)).toEqual(Buffer.from([1, 2]));
  using fd = newMemfd();
  expect(() => writer.write(reply(1, 'ah', new Prepared(() => [fd])))).toThrow(
    expect.objectContaining({ code: 'descriptors' }) as Error,
  );
});

test('the fds of a message are never given to one that was written before and still waits', () => {
  const writer = newWriter();
  using fd = newMemfd();
  const before = writer.write(reply(1, 'u', 1));
  const carrying = writer.write(reply(2, 'h', fd));
  const after = writer.write(reply(3, 'u', 1));
  expect([before.fds, carrying.fds, after.fds]).toEqual([[], [fd], []]);
});
