import fc from 'fast-check';
import { expect, test } from 'vitest';

import { quote } from '../../dbus/quote.js';

test.each([
  ['', '""'],
  ['XR24', '"XR24"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['a\n\u001b\u007fb', '"a\\u{a}\\u{1b}\\u{7f}b"'],
  ['é\u202e😀', '"\\u{e9}\\u{202e}\\u{1f600}"'],
  ['x'.repeat(40), `"${'x'.repeat(40)}"`],
  ['x'.repeat(41), `"${'x'.repeat(40)}…"`],
])('%j is shown as %s', (text, shown) => {
  expect(quote(text)).toBe(shown);
});

test('nothing but a little printable ASCII comes out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
      expect(quote(text)).toMatch(/^"[ -~]*…?"$/);
      expect(quote(text).length).toBeLessThanOrEqual(40 * '\\u{10ffff}'.length + 3);
    }),
  );
});
