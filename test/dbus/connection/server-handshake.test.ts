import fc from 'fast-check';
import { expect, test } from 'vitest';

import { HandshakeError } from '../../../dbus/connection/handshake.js';
import { ServerHandshake } from '../../../dbus/connection/server-handshake.js';

const GUID = '0123456789abcdef0123456789abcdef';

function feed(...pieces: readonly string[]): { send: string; messages?: string } {
  const handshake = new ServerHandshake(GUID);
  let send = '';
  for (const piece of pieces) {
    const step = handshake.receive(Buffer.from(piece, 'latin1'));
    send += step.send;
    if (step.messages !== undefined) return { send, messages: step.messages.toString('latin1') };
  }
  return { send };
}

// What the clients of the three libraries send, as strace shows it.
test.each([
  [
    'sd-bus, all at once',
    '\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n',
    `DATA\r\nOK ${GUID}\r\nAGREE_UNIX_FD\r\n`,
  ],
  [
    'libdbus',
    '\0AUTH EXTERNAL 31303030\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n',
    `OK ${GUID}\r\nAGREE_UNIX_FD\r\n`,
  ],
  [
    'GDBus, which asks for the mechanisms first',
    '\0AUTH\r\nAUTH EXTERNAL 31303030\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n',
    `REJECTED EXTERNAL ANONYMOUS\r\nOK ${GUID}\r\nAGREE_UNIX_FD\r\n`,
  ],
  [
    'an anonymous client',
    '\0AUTH ANONYMOUS\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n',
    `OK ${GUID}\r\nAGREE_UNIX_FD\r\n`,
  ],
  [
    'one that thinks again',
    '\0AUTH SCRAM\r\nAUTH EXTERNAL\r\nCANCEL\r\nWHAT\r\nAUTH ANONYMOUS\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n',
    `REJECTED EXTERNAL ANONYMOUS\r\nDATA\r\nREJECTED EXTERNAL ANONYMOUS\r\nERROR\r\nOK ${GUID}\r\nAGREE_UNIX_FD\r\n`,
  ],
])('accepts %s, however it is cut, and gives back what follows', (_, said, answer) => {
  const stream = `${said}l\u0001\u00ff\r\nrest`;
  fc.assert(
    fc.property(fc.array(fc.nat(said.length), { maxLength: 6 }), (cuts) => {
      const ends = [...new Set([...cuts.filter((cut) => cut < said.length), stream.length])].sort(
        (a, b) => a - b,
      );
      const pieces = ends.map((end, i) => stream.slice(ends[i - 1] ?? 0, end));
      expect(feed(...pieces)).toEqual({ send: answer, messages: 'l\u0001\u00ff\r\nrest' });
    }),
  );
});

test.each([
  ['does not begin with a NUL', 'AUTH EXTERNAL\r\n', 'protocol'],
  ['begins before it was accepted', '\0BEGIN\r\n', 'too-early'],
  ['takes no descriptors', '\0AUTH ANONYMOUS\r\nBEGIN\r\n', 'no-descriptors'],
  ['never ends its line', `\0${'A'.repeat(5000)}`, 'endless-line'],
])('gives up on a client that %s', (_, said, reason) => {
  expect(() => feed(said)).toThrow(HandshakeError);
  expect(() => feed(said)).toThrow(expect.objectContaining({ reason }) as Error);
});
