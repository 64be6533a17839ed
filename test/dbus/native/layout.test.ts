import { expect, test } from 'vitest';

import { addressOf, StructLayout } from '../../../dbus/native/layout.js';

test('lays members out as a C compiler does, and keeps what is written', () => {
  const layout = new StructLayout({ small: 'uint16', number: 'int', wide: 'size_t', last: 'uint16' });
  const word = new StructLayout({ word: 'size_t' }).size;
  expect(layout.size).toBe(8 + word + word);
  const bytes = Buffer.alloc(layout.size + 8);
  const values = { small: 0xfffe, number: 0x7fff_ffff, wide: 0xffff_fffe, last: 3 };
  for (const [member, value] of Object.entries(values))
    layout.write(bytes, 8, member as keyof typeof values, value);
  const read = Object.keys(values).map((member) => layout.read(bytes, 8, member as keyof typeof values));
  expect(read).toEqual(Object.values(values));
  expect(bytes.subarray(0, 8).every((byte) => byte === 0)).toBe(true);
});

test('a struct may be larger than its members', () => {
  const layout = new StructLayout({ first: 'uint32', second: 'uint32' }, { size: 64 });
  expect([layout.size, layout.place('second').offset]).toEqual([64, 4]);
});

test('a buffer inside another has its own address', () => {
  const bytes = Buffer.alloc(64);
  expect(addressOf(bytes.subarray(5)) - addressOf(bytes)).toBe(5n);
});
