import { describe, expect, test } from 'vitest';

import { groupNames, namesIn } from '../../../daemon/bus/user-name.js';

const FILE = `root:x:0:
video:x:44:anna,otto
render:x:105:
also-video:x:44:
:x:7:
broken
sudo:x:27:anna
`;

describe('the names of groups', () => {
  test('are those that the file has for the numbers', () => {
    expect(namesIn(FILE, [44, 0])).toEqual(['root', 'video', 'also-video']);
    expect(namesIn(FILE, [4, 7, 4711])).toEqual([]);
    expect(namesIn('', [0])).toEqual([]);
  });

  test('are none where there is no file', async () => {
    expect(await groupNames([0], '/nowhere')).toEqual([]);
    expect(await groupNames([], '')).toEqual([]);
  });
});
