import { expect, test } from 'vitest';

import { curveOf, curveTable, pointOf, rise, type CurvePlan, type Point } from './curve.js';
import type { Taken } from './figures.js';

/** A machine on which what is measured costs so many microseconds, and its twin ten. */
const taken = (microseconds: number): Taken => ({ ours: [microseconds * 1000], baseline: [10_000] });
const plan = (costs: readonly number[], more: Partial<CurvePlan> = {}): CurvePlan => ({
  of: 'things',
  name: 'ask',
  target: 1.2,
  sizes: [1, 10, 1000],
  take: async function* () {
    for (const cost of costs) yield await Promise.resolve(taken(cost));
  },
  ...more,
});
const ignore = (): void => undefined;

test('a point is the ratio of the medians, in microseconds', () => {
  expect(pointOf(7, taken(15))).toEqual({
    size: 7,
    median: 15,
    p99: 15,
    first: { median: 10, p99: 10 },
    ratio: 1.5,
  });
});

test('a curve has the points in the order of its sizes, and tells of each', async () => {
  const heard: Point[] = [];
  const curve = await curveOf(plan([10, 11, 12]), (point) => heard.push(point));
  expect(curve.points.map(({ size, ratio }) => [size, ratio])).toEqual([
    [1, 1],
    [10, 1.1],
    [1000, 1.2],
  ]);
  expect(heard).toEqual(curve.points);
  await expect(curveOf(plan([1, 2, 3, 4]), ignore)).rejects.toThrow('more was taken');
});

test('how much it rises is told from the first point, whatever that is beside its twin', async () => {
  expect(rise(await curveOf(plan([8, 99, 12]), ignore))).toBeCloseTo(1.5);
  expect(rise({ points: [] })).toBeNaN();
});

test('a table has a row a point, and says whether it is flat and where it ends', async () => {
  const flat = curveTable(await curveOf(plan([10, 15, 12]), ignore)).split('\n');
  expect(flat[0]).toBe('ask, by things');
  expect(flat[1]).toMatch(/^ +median µs +p99 µs +first: median µs +p99 µs +ratio$/);
  expect(flat[3]).toMatch(/^10 +15\.0 +15\.0 +10\.0 +10\.0 +1\.50×$/);
  expect(flat[4]).toMatch(/^1,000 /);
  expect(flat.slice(5)).toEqual(['last / first: 1.20×, kept (1.20×)']);
  const end = { meant: 50_000, why: 'no room' };
  expect(curveTable(await curveOf(plan([10, 10, 13], { end }), ignore))).toMatch(
    /missed \(1\.20×\)\nends at 1,000 of 50,000: no room$/,
  );
});
