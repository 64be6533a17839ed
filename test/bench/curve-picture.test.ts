import { expect, test } from 'vitest';

import { drawCurves } from './curve-picture.js';
import { pointOf, type Curve } from './curve.js';

const SIZES = [1, 10, 1000];

/** What the sizes cost as multiples of the first. */
const curveOf = (ratios: readonly number[], more: Partial<Curve> = {}): Curve => ({
  of: 'things',
  name: 'ask',
  target: 1.2,
  points: ratios.map((ratio, index) =>
    pointOf(SIZES[index] ?? NaN, { ours: [ratio * 10_000], baseline: [10_000] }),
  ),
  ...more,
});

test('a picture has a panel for each thing, with its curves, their verdicts and where they end', () => {
  const end = { meant: 50_000, why: 'no room' };
  const curves = [
    curveOf([1, 1.1, 1.2]),
    curveOf([1, 1.1, 1.3], { name: 'ask <again>' }),
    curveOf([1, 1.1, 1.2], { of: 'others', end }),
  ];
  const svg = drawCurves(curves, 'here & now');
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  expect(texts).toEqual(
    expect.arrayContaining(['By things', 'By others', 'ask &lt;again&gt;', 'here &amp; now']),
  );
  expect(texts.filter((text) => text === 'By things')).toHaveLength(1);
  expect(texts).toContain('last / first 1.30×, target 1.20×');
  expect(svg.match(/class="good end"/g)).toHaveLength(2);
  expect(svg.match(/class="bad end"/g)).toHaveLength(1);
  expect(texts).toContain('ends at 1,000 of 50,000: no room');
  expect(svg.match(/<polyline/g)).toHaveLength(3);
});

test('what is not ours has no target to keep', () => {
  const svg = drawCurves([curveOf([1, 1, 1.8], { target: 'floor' })], '');
  expect(svg).toContain('>last / first 1.80×, floor<');
  expect(svg).not.toContain('stroke-dasharray');
  expect(svg).not.toMatch(/class="(good|bad) end"/);
});

test('the axes begin at 0 and at the first size, the latter in powers', () => {
  const svg = drawCurves([curveOf([1, 1, 1])], '');
  const [, points = ''] = /<polyline points="([^"]*)"/.exec(svg) ?? [];
  const [first = [], second = [], last = []] = points.split(' ').map((point) => point.split(',').map(Number));
  expect(first[0]).toBe(0);
  // 10 is a third of the way from 1 to 1,000 where every tenfold is as wide.
  expect((second[0] ?? NaN) / (last[0] ?? NaN)).toBeCloseTo(1 / 3, 2);
  const [, bottom = ''] = /<text[^>]* y="([\d.]+)"[^>]*>0\.0×/.exec(svg) ?? [];
  const [, one = ''] = /<text[^>]* y="([\d.]+)"[^>]*>1\.0×/.exec(svg) ?? [];
  expect(Number(one)).toBeLessThan(Number(bottom));
  expect(Number(one) - 4).toBeCloseTo(last[1] ?? NaN, 0);
});
