import { totalmem } from 'node:os';

import { expect, test } from 'vitest';

import { sizeOfRam } from '../../../daemon/service/ram.js';

test('the size of RAM is in bytes, and what the kernel says', async () => {
  expect(await sizeOfRam()).toBe(totalmem());
});
