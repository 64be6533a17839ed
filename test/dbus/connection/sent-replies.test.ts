import { expect, test } from 'vitest';

import { SentReplies } from '../../../dbus/connection/pending-calls.js';

test('remembers the latest, each once', () => {
  const replies = new SentReplies(2);
  const told: number[] = [];
  for (const serial of [1, 2, 3]) replies.add(serial, () => told.push(serial));
  for (const serial of [1, 2, 3, 3]) replies.take(serial)?.();
  expect(told).toEqual([2, 3]);
});
