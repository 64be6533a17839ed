import { expect, it } from 'vitest';

import { requireRoom } from '../../../daemon/kernel/room.js';

it('refuses what has no room, and nothing else', () => {
  const refused = { name: 'KernelError', code: 'ENOMEM', call: 'fallocate' };
  expect(() => {
    requireRoom('fallocate', 8193n, 8192n);
  }).toThrow(expect.objectContaining(refused) as Error);
  expect(() => {
    requireRoom('fallocate', 8192n, 8192n);
  }).not.toThrow();
});
