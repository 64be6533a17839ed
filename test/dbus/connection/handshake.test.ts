import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Handshake, HandshakeError } from '../../../dbus/connection/handshake.js';

const GUID = '0123456789abcdef0123456789abcdef';
const ANSWERS = `DATA\r\nOK ${GUID}\r\nAGREE_UNIX_FD\r\n`;

function feed(handshake: Handshake, ...pieces: string[]): { send: string; done: boolean } {
  let send = '';
  let done = false;
  for (const piece of pieces) {
    const step = handshake.receive(Buffer.from(piece));
    send += step.send;
    ({ done } = step);
  }
  return { send, done };
}

test('authenticates, asks for descriptors and begins, however the answers are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(ANSWERS.length), { maxLength: 6 }), (cuts) => {
      const ends = [...new Set([...cuts, ANSWERS.length])].sort((a, b) => a - b);
      const pieces = ends.map((end, i) => ANSWERS.slice(ends[i - 1] ?? 0, end));
      expect(feed(new Handshake(GUID), ...pieces)).toEqual({
        send: 'DATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n',
        done: true,
      });
    }),
  );
});

test('a server may accept without asking who we are', () => {
  expect(feed(new Handshake(), `OK ${GUID}\r\n`).send).toBe('NEGOTIATE_UNIX_FD\r\n');
});

test.each([
  ['rejects us', 'REJECTED EXTERNAL\r\n', 'rejected'],
  ['passes no descriptors', `DATA\r\nOK ${GUID}\r\nERROR\r\n`, 'no-descriptors'],
  ['is another than the address names', `DATA\r\nOK ${GUID.replace('0', 'f')}\r\n`, 'other-server'],
  ['names no id where one is expected', 'DATA\r\nOK\r\n', 'other-server'],
  ['asks for data twice', 'DATA\r\nDATA\r\n', 'protocol'],
  ['agrees before it was asked', 'AGREE_UNIX_FD\r\n', 'protocol'],
  ['speaks something else', 'HTTP/1.1 400 Bad Request\r\n', 'protocol'],
  ['sends messages before it was asked to', `${ANSWERS}l`, 'too-early'],
  ['never ends its line', 'D'.repeat(5000), 'endless-line'],
])('gives up on a server that %s', (_, answers, reason) => {
  expect(() => feed(new Handshake(GUID), answers)).toThrow(HandshakeError);
  expect(() => feed(new Handshake(GUID), answers)).toThrow(expect.objectContaining({ reason }) as Error);
});
