import { fstatSync } from 'node:fs';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Framer, type Frame } from '../../../dbus/connection/framer.js';
import { WireError } from '../../../dbus/connection/wire-error.js';
import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import {
  CALL,
  field,
  marshal,
  rawMessage,
  REPLY,
  SIGNAL,
  type RawField,
  type RawMessage,
} from '../../harness/raw-message.js';
import { newMemfd } from '../../harness/sockets.js';

const LIMIT = 4096;
const newFramer = (): Framer => new Framer((type) => (type === REPLY ? Infinity : LIMIT));
const inode = (fd: OwnedFd): number => fstatSync(fd.number).ino;

/** A message whose body is that many bytes, and which claims that many fds. */
function message(serial: number, length: number, fds: number, more: Partial<RawMessage> = {}): Buffer {
  return rawMessage({
    type: CALL,
    serial,
    fields: [
      field.path('/a'),
      field.member('M'),
      field.signature('ay'),
      ...(fds > 0 ? [field.unixFds(fds)] : []),
    ],
    body: marshal('ay', [Array.from({ length }, () => serial & 0xff)]),
    ...more,
  });
}

function drain(framer: Framer): Frame[] {
  const frames: Frame[] = [];
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
    const body = frame.body === undefined ? {} : { body: Buffer.from(frame.body) };
    frames.push({ ...frame, ...body });
  }
  return frames;
}

test('however the stream is cut, each message comes whole and with its own fds', () => {
  const sent = fc.record({
    length: fc.nat(200),
    fds: fc.nat(3),
    pieces: fc.array(fc.nat(400), { maxLength: 3 }),
  });
  const before = openFds();
  fc.assert(
    fc.property(fc.array(sent, { minLength: 1, maxLength: 8 }), fc.boolean(), (messages, big) => {
      const framer = newFramer();
      const inodes: number[][] = [];
      const got: Frame[] = [];
      messages.forEach(({ length, fds, pieces }, i) => {
        const bytes = message(i + 1, length, fds, { order: big ? 'B' : 'l' });
        const owned = Array.from({ length: fds }, () => newMemfd());
        inodes.push(owned.map(inode));
        // The fds come with the first byte, as the kernel has it.
        const ends = [...pieces.filter((end) => end < bytes.length), bytes.length].sort((a, b) => a - b);
        ends.forEach((end, piece) => {
          framer.push(Buffer.from(bytes.subarray(ends[piece - 1] ?? 0, end)), piece === 0 ? owned : []);
          got.push(...drain(framer));
        });
      });
      expect(got.map(({ header }) => header.serial)).toEqual(messages.map((_, i) => i + 1));
      expect(got.map(({ body }) => body?.length)).toEqual(messages.map(({ length }) => length + 4));
      expect(got.map(({ fds }) => fds.map(inode))).toEqual(inodes);
      closeAll(got.flatMap(({ fds }) => fds));
      framer.dispose();
    }),
  );
  expect([...openFds().keys()]).toEqual([...before.keys()]);
});

test('several messages in one read come one after the other', () => {
  const framer = newFramer();
  using fd = newMemfd();
  framer.push(Buffer.concat([message(1, 5, 0), message(2, 0, 0), message(3, 9, 1)]), [fd]);
  const frames = drain(framer);
  expect(frames.map(({ header, fds }) => [header.serial, fds.length])).toEqual([
    [1, 0],
    [2, 0],
    [3, 1],
  ]);
});

test('a body that is too long is skipped without being stored, and what follows comes', () => {
  const framer = newFramer();
  using fd = newMemfd();
  const bytes = message(1, LIMIT, 1);
  framer.push(bytes.subarray(0, 100), [fd]);
  const [large] = drain(framer);
  expect(large).toMatchObject({ header: { serial: 1 }, fds: [fd] });
  expect(large).not.toHaveProperty('body');
  for (let at = 100; at < bytes.length; at += 1000) {
    framer.push(bytes.subarray(at, at + 1000), []);
    expect(drain(framer)).toEqual([]);
  }
  framer.push(Buffer.concat([message(2, LIMIT, 0), message(3, 1, 0)]), []);
  expect(drain(framer).map(({ header, body }) => [header.serial, body?.length])).toEqual([
    [2, undefined],
    [3, 5],
  ]);
});

const LONG_PATH = field.path(`/${'a'.repeat(70_000)}`);

test('of a message with a header of more than 64 KiB come the sender and the fds, and what follows comes', () => {
  const framer = newFramer();
  using ours = newMemfd();
  using next = newMemfd();
  const fields = [
    field.unixFds(1),
    LONG_PATH,
    field.member('M'),
    field.sender(':1.7'),
    field.signature('ay'),
  ];
  const bytes = rawMessage({ serial: 1, fields, body: Buffer.alloc(100) });
  framer.push(bytes.subarray(0, 30_000), [ours]);
  expect(drain(framer)).toEqual([]);
  framer.push(Buffer.concat([bytes.subarray(30_000), message(2, 0, 1)]), [next]);
  const [long, short] = drain(framer);
  expect(long).toMatchObject({ header: { serial: 1, sender: ':1.7', member: 'M', unixFds: 1 }, fds: [ours] });
  expect(long).not.toHaveProperty('body');
  expect(long?.header.path).toBeUndefined();
  expect(short).toMatchObject({ header: { serial: 2 }, fds: [next] });
});

/** Fields of types that no field of the specification has; they are to be ignored. */
const UNKNOWN_FIELDS: readonly RawField[] = [
  { code: 99, signature: 'a{sv}', value: [['k', ['u', 7]]] },
  { code: 100, signature: '(yxa(sg)v)', value: [1, 2n, [['s', 'g']], ['v', ['d', 0.5]]] },
  { code: 101, signature: 'n', value: -1 },
  { code: 102, signature: 'ax', value: [] },
];

test('other fields before the sender are passed over, in either byte order', () => {
  for (const order of ['l', 'B']) {
    const framer = newFramer();
    const fields = [LONG_PATH, ...UNKNOWN_FIELDS, field.sender(':1.7')];
    framer.push(Buffer.concat([rawMessage({ order, fields }), message(2, 0, 0)]), []);
    expect(drain(framer)).toMatchObject([
      { header: { serial: 1, sender: ':1.7' } },
      { header: { serial: 2 } },
    ]);
  }
});

test.each([
  ['a field given twice', [field.sender(':1.7'), field.sender(':1.8')]],
  ['a field of another type', [{ code: 7, signature: 'o', value: '/a' }]],
  ['more fields than are looked at', Array.from({ length: 1024 }, () => UNKNOWN_FIELDS[2] ?? LONG_PATH)],
  ['a signature that is none', [{ code: 99, signature: '!', value: '' }]],
])('a header of more than 64 KiB with %s is passed over with its fds', (_, wrong) => {
  const framer = newFramer();
  const ours = newMemfd();
  using next = newMemfd();
  const fields = [LONG_PATH, ...wrong, field.unixFds(1)];
  framer.push(rawMessage({ serial: 1, fields, body: Buffer.alloc(9) }), [ours]);
  expect(drain(framer)).toEqual([]);
  framer.push(message(2, 0, 1), [next]);
  expect(drain(framer)).toMatchObject([{ header: { serial: 2 }, fds: [next] }]);
  expect(ours.open).toBe(false);
});

test('whatever its size, each message is one frame with its serial, its sender and its own fds', () => {
  const around = (length: number): fc.Arbitrary<number> => fc.integer({ min: length - 20, max: length + 20 });
  const sent = fc.record({
    type: fc.constantFrom(CALL, REPLY, SIGNAL, 77),
    big: fc.boolean(),
    // The header's other fields have about 100 bytes.
    path: fc.oneof(fc.integer({ min: 1, max: 40 }), around(65_536 - 100), fc.constant(200_000)),
    body: fc.oneof(fc.nat(20), around(LIMIT)),
    fds: fc.nat(2),
    senderFirst: fc.boolean(),
    pieces: fc.array(fc.oneof(fc.nat(300), fc.nat(70_000)), { maxLength: 4 }),
  });
  const before = openFds();
  fc.assert(
    fc.property(fc.array(sent, { minLength: 1, maxLength: 4 }), (messages) => {
      const framer = newFramer();
      const expected: unknown[] = [];
      const got: Frame[] = [];
      messages.forEach(({ type, big, path, body, fds, senderFirst, pieces }, i) => {
        const sender = field.sender(`:1.${i}`);
        const rest = [
          field.path(`/${'a'.repeat(path)}`),
          field.interface('a.b'),
          field.member('M'),
          field.replySerial(1),
          field.signature('ay'),
          field.unixFds(fds),
        ];
        const fields = senderFirst ? [sender, ...rest] : [...rest, sender];
        const bytes = rawMessage({
          type,
          serial: i + 1,
          order: big ? 'B' : 'l',
          fields,
          body: Buffer.alloc(body),
        });
        const owned = Array.from({ length: fds }, () => newMemfd());
        expected.push([i + 1, `:1.${i}`, fds, owned.map(inode)]);
        const ends = [...pieces.filter((end) => end < bytes.length), bytes.length].sort((a, b) => a - b);
        ends.forEach((end, piece) => {
          framer.push(Buffer.from(bytes.subarray(ends[piece - 1] ?? 0, end)), piece === 0 ? owned : []);
          got.push(...drain(framer));
        });
      });
      const seen = got.map(({ header, fds }) => [
        header.serial,
        header.sender,
        header.unixFds,
        fds.map(inode),
      ]);
      expect(seen).toEqual(expected);
      closeAll(got.flatMap(({ fds }) => fds));
      framer.dispose();
    }),
    { numRuns: 60 },
  );
  expect([...openFds().keys()]).toEqual([...before.keys()]);
});

test('a reply of any length is taken', () => {
  const framer = newFramer();
  const fields = [field.replySerial(1), field.signature('ay')];
  framer.push(message(1, LIMIT * 10, 0, { type: REPLY, fields }), []);
  expect(drain(framer).map(({ body }) => body?.length)).toEqual([LIMIT * 10 + 4]);
});

test.each([
  ['an unknown byte order', message(1, 0, 0, { order: 'x' })],
  ['another protocol version', message(1, 0, 0, { version: 2 })],
  ['no type', message(1, 0, 0, { type: 0 })],
  ['no serial', message(0, 0, 0)],
  ['a header longer than 64 MiB', message(1, 0, 0, { fieldsLength: 2 ** 26 + 1 })],
  ['a body longer than 128 MiB', message(1, 0, 0, { bodyLength: 2 ** 27 })],
  ['a header field that goes past the end', message(1, 8, 0, { fieldsLength: 17 })],
  ['an fd number of another type', message(1, 0, 0, { fields: [{ code: 9, signature: 's', value: '1' }] })],
  ['two fd numbers', message(1, 0, 0, { fields: [field.unixFds(0), field.unixFds(0)] })],
  ['fds that did not come', message(1, 0, 2)],
])('gives up on %s', (_, bytes) => {
  const framer = newFramer();
  framer.push(bytes, []);
  expect(() => drain(framer)).toThrow(WireError);
});

test('fds that no message claims end the stream, and are closed', async () => {
  const before = openFds();
  const framer = newFramer();
  framer.push(Buffer.concat([message(1, 0, 0), message(2, 0, 0)]), [newMemfd()]);
  expect(framer.next()?.header.serial).toBe(1);
  expect(() => framer.next()).toThrow(
    expect.objectContaining({ name: 'WireError', code: 'descriptors' }) as Error,
  );
  framer.dispose();
  await expectNoNewFds(before);
});

test('a message never gets the fds of another that did not claim them', () => {
  const framer = newFramer();
  using stray = newMemfd();
  using own = newMemfd();
  framer.push(message(1, 0, 0).subarray(0, 20), [stray]);
  expect(drain(framer)).toEqual([]);
  framer.push(Buffer.concat([message(1, 0, 0).subarray(20), message(2, 0, 1)]), [own]);
  expect(() => drain(framer)).toThrow(
    expect.objectContaining({ name: 'WireError', code: 'descriptors' }) as Error,
  );
});

test.each([
  [
    'a path that is not valid',
    { fields: [field.path('a'), field.member('M')] },
    { field: 'path', problem: 'invalid' },
  ],
  ['a call without a member', { fields: [field.path('/a')] }, { field: 'member', problem: 'missing' }],
  [
    'a signal without an interface',
    { type: SIGNAL, fields: [field.path('/a'), field.member('M')] },
    { field: 'interface', problem: 'missing' },
  ],
  [
    'a member given twice',
    { fields: [field.path('/a'), field.member('M'), field.member('N')] },
    { field: 'member', problem: 'repeated' },
  ],
  [
    'a field of another type',
    { fields: [{ code: 1, signature: 's', value: '/a' }, field.member('M')] },
    { field: 'path', problem: 'type' },
  ],
  [
    'a body without a signature',
    { fields: [field.path('/a'), field.member('M')], body: Buffer.alloc(1) },
    { field: 'signature', problem: 'missing' },
  ],
  [
    'a signature that is not valid',
    { fields: [field.path('/a'), field.member('M'), field.signature('a')] },
    { field: 'signature', problem: 'invalid' },
  ],
])('a message with %s is framed, and said to be wrong', (_, parts, fault) => {
  const framer = newFramer();
  framer.push(Buffer.concat([rawMessage(parts), message(9, 0, 0)]), []);
  const [wrong, next] = drain(framer);
  expect(wrong?.header.fault).toEqual(fault);
  expect(next?.header).toMatchObject({ serial: 9 });
  expect(next?.header).not.toHaveProperty('fault');
});

test('padding after the header that is not zero is a fault of the message', () => {
  const framer = newFramer();
  const bytes = rawMessage({ fields: [field.path('/a'), field.member('M')], body: Buffer.alloc(0) });
  const fieldsEnd = 16 + bytes.readUInt32LE(12);
  expect(fieldsEnd).toBeLessThan(bytes.length);
  bytes[bytes.length - 1] = 1;
  framer.push(bytes, []);
  expect(framer.next()?.header.fault).toEqual({ field: 'padding', problem: 'invalid' });
});

test('unknown header fields and types are passed over', () => {
  const framer = newFramer();
  const unknown = { code: 200, signature: 'a{sv}', value: [['a', ['u', 1]]] };
  framer.push(rawMessage({ type: 77, fields: [unknown, field.member('M')] }), []);
  expect(drain(framer)).toMatchObject([{ header: { type: 77, member: 'M' } }]);
});

test('bytes that were changed are framed or refused, and nothing else happens', () => {
  const stream = Buffer.concat([message(1, 10, 0), message(2, 30, 0), message(3, 0, 0)]);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(stream.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
      const bytes = Buffer.from(stream);
      for (const [at, byte] of changes) bytes[at] = byte;
      const framer = newFramer();
      framer.push(bytes, []);
      try {
        expect(drain(framer).length).toBeLessThanOrEqual(3);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('fds that were lost cost their message alone, and what follows is followed', () => {
  const framer = newFramer();
  framer.push(Buffer.concat([message(1, 4, 2), message(2, 4, 0)]), [], true);
  expect([framer.next(), framer.next()]).toMatchObject([
    { header: { serial: 1 }, fds: [] },
    { header: { serial: 2 }, fds: [] },
  ]);
  expect(framer.next()).toBeUndefined();
  const fd = newMemfd();
  framer.push(message(3, 4, 1), [fd]);
  const [third] = [framer.next()];
  expect(third?.fds).toEqual([fd]);
  closeAll(third?.fds ?? []);
  framer.push(message(4, 4, 1), []);
  expect(() => framer.next()).toThrow(WireError);
});
