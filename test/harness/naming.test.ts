import { expect, it } from 'vitest';
import { naming } from './naming.js';

it.each([
  ['100 bytes of /dev/video0', ['/dev/video0', 100], true],
  ['100 bytes of /dev/video0', ['/dev/video'], false],
  ['100 bytes of /dev/video0', [10], false],
  ['two\nlines: [a.b]', ['[a.b]'], true],
  ['two\nlines: [axb]', ['[a.b]'], false],
  ['1 of 2', [1, 2n, 3], false],
])('%j: %#', (text, values, names) => {
  expect(naming(...values).test(text)).toBe(names);
});
