import { expect, it } from 'vitest';

import { nameIn } from '../../../daemon/bus/user-name.js';

it('finds the first name of a number in the text of /etc/passwd', () => {
  const text =
    'root:x:0:0::/root:/bin/sh\nmalformed\n:x:7:7::/:/bin/sh\nann:x:1000:1000::/:\nbob:x:1000:1000::/:\n';
  expect(nameIn(text, 0)).toBe('root');
  expect(nameIn(text, 1000)).toBe('ann');
  expect(nameIn(text, 100)).toBeUndefined();
  expect(nameIn(text, 7)).toBeUndefined();
});
