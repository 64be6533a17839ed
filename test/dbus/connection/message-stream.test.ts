import { expect, test } from 'vitest';

import { wireSerial } from '../../../dbus/connection/message-stream.js';

test('serials have 32 bits and are never 0, however many messages are sent', () => {
  expect([1, 2 ** 32 - 1, 2 ** 32, 2 ** 33].map(wireSerial)).toEqual([1, 2 ** 32 - 1, 1, 2]);
});
