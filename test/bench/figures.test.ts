import { expect, test } from 'vitest';

import { comparison, figureOf, table, type Measure, type Run } from './figures.js';
import { quantile } from './load.js';

const measure: Measure = {
  name: 'ours',
  against: 'theirs',
  target: 2,
  take: () => Promise.reject(new Error('not here')),
};
const nanoseconds = (...microseconds: readonly number[]): readonly number[] =>
  microseconds.map((value) => value * 1000);
const taken = (median: number) => ({
  ours: nanoseconds(1, median, 900),
  baseline: nanoseconds(5, 10, 2000),
});
const runOf = (median: number): Run => ({
  date: '2026-01-01T00:00:00.000Z',
  machine: {},
  figures: [figureOf(measure, taken(median))],
});

test('a floor is neither kept nor missed', () => {
  const floor = figureOf({ ...measure, target: 'floor' }, taken(15));
  expect(table([floor]).split('\n').at(-1)).toMatch(/1\.50× {2}floor$/);
});

test('a quantile is one of the values', () => {
  expect([0, 0.5, 0.99, 1].map((share) => quantile([3, 1, 2, 4], share))).toEqual([1, 3, 4, 4]);
  expect(quantile([], 0.5)).toBeNaN();
});

test('a figure is the ratio of the medians, in microseconds', () => {
  expect(figureOf(measure, taken(15))).toEqual({
    name: 'ours',
    against: 'theirs',
    rounds: 3,
    median: 15,
    p99: 900,
    baseline: { median: 10, p99: 2000 },
    ratio: 1.5,
    target: 2,
  });
});

test('a table says which targets are kept', () => {
  const [head = '', kept = '', missed = ''] = table([
    figureOf(measure, taken(20)),
    figureOf(measure, taken(21)),
  ]).split('\n');
  expect(head).toMatch(/^measure +median µs +p99 µs +against/);
  expect(kept).toMatch(/^ours +20\.0 +900\.0 +theirs +10\.0 +2000 +2\.00× +kept \(2\.00×\)$/);
  expect(missed).toMatch(/2\.10× +missed \(2\.00×\)$/);
});

test('two runs are compared by their ratios, and what only one has is left out', () => {
  const other: Run = { ...runOf(30), figures: [...runOf(30).figures, ...runOf(1).figures.map(renamed)] };
  const [, row, ...rest] = comparison(runOf(20), other).split('\n');
  expect(row).toMatch(/^ours +20\.0 +30\.0 +2\.00× +3\.00× +\+50 %$/);
  expect(rest).toEqual([]);
  expect(comparison(other, runOf(15))).toContain('-50 %');
});

const renamed = <T extends { readonly name: string }>(figure: T): T => ({ ...figure, name: 'new' });

test('a time at p99 can be what is not to be exceeded', () => {
  const late = (p99: number): string =>
    table([{ ...figureOf({ ...measure, target: { p99 } }, taken(15)), rounds: 3 }]);
  expect(late(900)).toMatch(/1\.50×\s+kept \(p99 900\.0 µs\)$/);
  expect(late(899)).toMatch(/missed \(p99 899\.0 µs\)$/);
});
