import fc from 'fast-check';
import { expect, test } from 'vitest';

import { busAddress, escapeValue, parseAddress } from '../../../dbus/connection/address.js';
import { BusAddressError } from '../../../dbus/connection/connect-errors.js';
import { naming } from '../../harness/naming.js';

const shown = (address: string): readonly string[] =>
  parseAddress(address).map(({ kind, name, guid }) => [kind, name.toString(), guid].join(' '));

test('takes paths and abstract names, in order, with the id of their server', () => {
  const address = 'unix:path=/run/bus,guid=0123ABCD;unix:abstract=/tmp/x;';
  expect(shown(address)).toEqual(['path /run/bus 0123abcd', 'abstract /tmp/x ']);
});

test('leaves out transports that need more than a unix socket', () => {
  expect(shown('tcp:host=localhost,port=1;unix:tmpdir=/tmp;unix:path=/a;unixexec:path=/bin/x')).toEqual([
    'path /a ',
  ]);
});

test('any value survives being escaped, byte for byte', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), (value) => {
      const [socket] = parseAddress(`unix:path=${escapeValue(value)}`);
      expect(socket?.name.equals(Buffer.from(value))).toBe(true);
    }),
  );
});

test.each([
  '',
  ';',
  'unix',
  'unix:',
  '/run/bus',
  'unix:path',
  'unix:path=',
  'unix:path=/a,path=/b',
  'unix:path=/a,abstract=b',
  'unix:path=/a%2',
  'unix:path=/a%zz',
  `unix:path=/${'a'.repeat(107)}`,
  'tcp:host=localhost,port=1',
])('refuses %j', (address) => {
  expect(() => parseAddress(address)).toThrow(BusAddressError);
});

test('a socket name may have 107 bytes', () => {
  expect(parseAddress(`unix:path=/${'a'.repeat(106)}`)).toHaveLength(1);
});

test('any text is an address or is refused, and nothing else happens', () => {
  const characters = fc.string({
    unit: fc.constantFrom(...'unix:path=abstr,;%2f/\0é'.split('')),
    maxLength: 30,
  });
  fc.assert(
    fc.property(characters, (address) => {
      try {
        expect(parseAddress(address).length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(BusAddressError);
      }
    }),
  );
});

test('the system bus is where the environment says, or where it always is', () => {
  expect(busAddress('system', { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/a' })).toBe('unix:path=/a');
  expect(busAddress('system', { DBUS_SYSTEM_BUS_ADDRESS: '' })).toBe('unix:path=/run/dbus/system_bus_socket');
});

test('the session bus is where the environment says, or in the runtime directory', () => {
  const XDG_RUNTIME_DIR = '/run/user/1,000';
  expect(busAddress('session', { XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/a' })).toBe(
    'unix:path=/a',
  );
  expect(shown(busAddress('session', { XDG_RUNTIME_DIR }))).toEqual(['path /run/user/1,000/bus ']);
  expect(() => busAddress('session', {})).toThrow(naming('DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR'));
});

test('anything else is an address already', () => {
  expect(busAddress('unix:path=/a', {})).toBe('unix:path=/a');
});
