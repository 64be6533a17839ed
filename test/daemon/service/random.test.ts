import { expect, test } from 'vitest';

import { randomHexSource } from '../../../daemon/service/random.js';

/** Bytes that count up, so that each is known by its place. */
function counting(): (bytes: number) => Buffer {
  let next = 0;
  return (bytes) => {
    const drawn = Buffer.alloc(bytes);
    for (let at = 0; at + 4 <= bytes; at += 4) drawn.writeUInt32BE(next++, at);
    return drawn;
  };
}

test('gives as many bytes as asked, and none of them twice', () => {
  const random = randomHexSource(counting());
  const seen = new Set<string>();
  for (let i = 0; i < 2000; i += 1) {
    const hex = random(16);
    expect(hex).toHaveLength(32);
    for (let at = 0; at < hex.length; at += 8) seen.add(hex.slice(at, at + 8));
  }
  expect(seen.size).toBe(4 * 2000);
});

test('gives more than it draws at once', () => {
  expect(randomHexSource()(10_000)).toMatch(/^[0-9a-f]{20000}$/);
});
