import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatPairs, formatTable, wrap } from '../../../client/cli/table.js';

const COLUMNS = [
  { title: 'NODE' },
  { title: 'SIZE', align: 'right' as const },
  { title: 'USES', wraps: true },
  { title: 'NAME', wraps: true },
];
const ROWS = [
  ['/dev/dri/card0', '8 MiB', 'scanout render texture', 'AMD Radeon RX 7900 XTX'],
  ['cpu', '12 B', 'read write', 'programs that map the buffer'],
];

describe('formatTable', () => {
  it('aligns, in one line a row where there is room', () => {
    expect(formatTable(COLUMNS, ROWS, 200)).toEqual([
      'NODE             SIZE  USES                    NAME',
      '/dev/dri/card0  8 MiB  scanout render texture  AMD Radeon RX 7900 XTX',
      'cpu              12 B  read write              programs that map the buffer',
    ]);
    expect(formatTable(COLUMNS, ROWS, Infinity)).toEqual(formatTable(COLUMNS, ROWS, 200));
  });

  it('breaks the columns that may be broken, the widest first', () => {
    expect(formatTable(COLUMNS, ROWS, 60)).toEqual([
      'NODE             SIZE  USES               NAME',
      '/dev/dri/card0  8 MiB  scanout render     AMD Radeon RX 7900',
      '                       texture            XTX',
      'cpu              12 B  read write         programs that map',
      '                                          the buffer',
    ]);
  });

  it('keeps to the width, and every word', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'é', '漢', '/', 'z'), maxLength: 30 });
    const cell = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell), { minLength: 1 }),
        fc.integer({ min: 30, max: 120 }),
        (rows, width) => {
          const lines = formatTable(
            [
              { title: 'A', wraps: true },
              { title: 'B', wraps: true },
            ],
            rows,
            width,
          );
          for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(width);
          const letters = (text: string): string[] => Array.from(text.replaceAll(' ', '')).sort();
          expect(letters(lines.join(''))).toEqual(letters(`AB${rows.flat().join('')}`));
        },
      ),
    );
  });

  it('does not let what it shows steer the terminal', () => {
    expect(formatTable([{ title: 'X' }], [['a\u{1b}[31mb\nc']], 80)).toEqual([
      'X',
      'a\u{fffd}[31mb\u{fffd}c',
    ]);
  });

  it('styles cells without moving them', () => {
    const styled = formatTable(COLUMNS, ROWS, 200, (text, row, column) =>
      row === 1 && column === 1 ? `<${text}>` : text,
    );
    expect(styled[2]).toBe('cpu             < 12 B>  read write              programs that map the buffer');
  });

  it('shows its titles alone when there are no rows', () => {
    expect(formatTable(COLUMNS, [], 80)).toEqual(['NODE  SIZE  USES  NAME']);
  });
});

it('formatPairs names only the first of several values', () => {
  expect(
    formatPairs(
      [
        ['policy', ['/a', '/b']],
        ['none', []],
        ['version', ['1']],
      ],
      80,
    ),
  ).toEqual(['policy   /a', '         /b', 'version  1']);
});

it.each([
  ['', ['']],
  ['one two three', ['one two', 'three']],
  ['abcdefghijkl mn', ['abcdefgh', 'ijkl mn']],
  ['a abcdefghijkl', ['a', 'abcdefgh', 'ijkl']],
  ['/dev/dri/card0', ['/dev/', 'dri/', 'card0']],
  ['/abcdefghij', ['/abcdefg', 'hij']],
])('wrap %j', (text, lines) => {
  expect(wrap(text, 8)).toEqual(lines);
});
