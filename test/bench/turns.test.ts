import { expect, test } from 'vitest';

import { allInTurns, inTurns, type Side } from './turns.js';

/** Sides that write down when it is their turn. */
const sidesOf = (names: readonly string[], heard: string[]): Side[] =>
  names.map((name, index) => () => {
    heard.push(name);
    return Promise.resolve([index]);
  });

test('two sides come in turns, each as often first', async () => {
  const heard: string[] = [];
  const [ours, baseline] = sidesOf(['o', 'b'], heard) as [Side, Side];
  expect(await inTurns(4, ours, baseline)).toEqual({ ours: [0, 0, 0, 0], baseline: [1, 1, 1, 1] });
  expect(heard.join('')).toBe('boobboob');
});

test('so do many, and each has what it took', async () => {
  const heard: string[] = [];
  expect(await allInTurns(2, sidesOf(['a', 'b', 'c'], heard))).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
  ]);
  expect(heard.join('')).toBe('abccba');
});
