import { expect, it } from 'vitest';

import { requireSizeWithin } from '../../../daemon/kernel/size-limit.js';

it('refuses what has no room, and nothing else', () => {
  const refused = { name: 'KernelError', code: 'ENOMEM', call: 'fallocate' };
  expect(() => {
    requireSizeWithin('fallocate', 8193n, 8192n);
  }).toThrow(expect.objectContaining(refused) as Error);
  expect(() => {
    requireSizeWithin('fallocate', 8192n, 8192n);
  }).not.toThrow();
});
