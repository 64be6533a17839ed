import { expect, test } from 'vitest';

import { readFixed, readHeader, type Header } from '../../../dbus/connection/header-reader.js';
import { HeaderCache } from '../../../dbus/connection/header-cache.js';
import { CALL, field, rawMessage, SIGNAL, type RawMessage } from '../../harness/raw-message.js';

const FIELDS = [field.path('/a'), field.interface('a.b'), field.member('C'), field.sender(':1.2')];
const SIGNED = [...FIELDS, field.signature('u')];
const BODY = Buffer.alloc(4);

/** The header as it is read with what was read before in mind, and as it is read anew. */
function both(headers: HeaderCache, message: RawMessage, before = 0): [Header, Header] {
  const bytes = rawMessage(message);
  const fixed = readFixed(bytes);
  const shifted = Buffer.concat([Buffer.alloc(before, 0xff), bytes]);
  return [headers.read(fixed, shifted, before), readHeader(fixed, bytes.subarray(0, fixed.headerLength))];
}

test.each<[string, RawMessage]>([
  ['a call', { fields: FIELDS }],
  ['a call with a body', { fields: SIGNED, body: BODY }],
  [
    'a call with other flags and another serial',
    { fields: SIGNED, body: BODY, flags: 5, serial: 0xffff_fffe },
  ],
  ['a big-endian call', { fields: SIGNED, body: BODY, order: 'B' }],
  ['a signal', { type: SIGNAL, fields: FIELDS }],
  ['a call from somebody else', { fields: [...FIELDS.slice(0, 3), field.sender(':1.3')] }],
  ['a call with a body that has no signature', { fields: FIELDS, body: BODY }],
  ['a call without a member', { fields: [field.path('/a')] }],
  ['a call with fds', { fields: [...FIELDS, field.unixFds(2)] }],
  ['a call with a long path', { fields: [field.path(`/${'a'.repeat(1000)}`), field.member('C')] }],
])('%s is read as if nothing had been read before', (_what, message) => {
  const headers = new HeaderCache();
  for (const first of [{ fields: FIELDS }, { fields: SIGNED, body: BODY }, message])
    both(headers, { type: CALL, ...first });
  const [known, anew] = both(headers, message, 24);
  expect(known).toEqual(anew);
});
