import { expect, test } from 'vitest';

import {
  isBusName,
  isInterfaceName,
  isMemberName,
  isObjectPath,
} from '../../../dbus/connection/name-rules.js';

const long = (start: string): string => start + 'a'.repeat(256 - start.length);

const cases: readonly [string, (name: string) => boolean, readonly string[], readonly string[]][] = [
  [
    'interface',
    isInterfaceName,
    ['a.b', 'org.dmabroker1.Broker', '_a._1'],
    ['', 'a', '.a.b', 'a.b.', 'a..b', 'a.1b', 'a-b.c', 'a.b\n', 'ä.b', long('a.')],
  ],
  ['member', isMemberName, ['A', '_1'], ['', '1', 'a.b', 'a-b', 'a\n', long('a')]],
  [
    'bus',
    isBusName,
    ['a.b', 'a-b.c-d', ':1.5', ':a.b-c'],
    ['', 'a', 'a.1', ':', ':1', ':1.', 'a.b\n', ':1.5 ', long('a.'), long(':1.')],
  ],
  [
    'path',
    isObjectPath,
    ['/', '/a', '/a/b_1', `/${'a'.repeat(1 << 20)}`],
    ['', 'a', '//', '/a/', '/a//b', '/a-b', '/a\n', '/ä', `/${'a/'.repeat(1 << 19)}`],
  ],
];

test.each(cases)('%s names', (_, valid, good, bad) => {
  expect(good.filter((name) => !valid(name))).toEqual([]);
  expect(bad.filter((name) => valid(name))).toEqual([]);
});
