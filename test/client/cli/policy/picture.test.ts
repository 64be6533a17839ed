import { describe, expect, it } from 'vitest';

import { drawSimulations } from '../../../../client/cli/policy/picture.js';
import { simulate } from '../../../../daemon/sizing/simulate.js';
import { policyOf } from '../../../daemon/machine.js';
import { PROFILES } from '../../../tools/profiles/index.js';

const simulated = (text: string, names = Object.keys(PROFILES)) =>
  Object.entries(PROFILES)
    .filter(([name]) => names.includes(name))
    .map(([name, { inventory }]) => ({ name, simulation: simulate(inventory, policyOf(text)) }));

/** What is written in it, and where: enough of a reader for what our writer makes. */
function read(svg: string) {
  const open: string[] = [];
  for (const [, slash, name = '', , end] of svg.matchAll(
    /<(\/?)([a-z]+)((?: [A-Za-z-]+="[^"<]*")*)(\/?)>/g,
  )) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else if (end === '') open.push(name);
  }
  expect(open).toEqual([]);
  const numberOf = (attributes: string, name: string): number =>
    Number(new RegExp(` ${name}="([\\d.-]+)"`).exec(attributes)?.[1]);
  return {
    width: numberOf(svg, 'width'),
    height: numberOf(svg, 'height'),
    texts: [...svg.matchAll(/<text([^>]*)>([^<]*)<\/text>/g)].map(([, attributes = '', text = '']) => ({
      text,
      x: numberOf(attributes, 'x'),
      y: numberOf(attributes, 'y'),
      style: / class="(\w+)"/.exec(attributes)?.[1] ?? '',
    })),
    columns: [...svg.matchAll(/<g transform="translate\((\d+) 0\)">/g)].map(([, x]) => Number(x)),
    bars: [...svg.matchAll(/<rect([^>]*) fill="(#\w+)">/g)].map(([, attributes = '', fill = '']) => ({
      fill,
      y: numberOf(attributes, 'y'),
      height: numberOf(attributes, 'height'),
    })),
  };
}

describe('drawSimulations', () => {
  it('is well-formed, and holds all of its text', () => {
    const svg = drawSimulations(simulated(''));
    const { width, height, texts, columns } = read(svg);
    expect(Math.max(...texts.map(({ y }) => y))).toBeLessThan(height);
    expect(columns.slice(-1)[0]).toBeLessThan(width);
    for (const name of Object.keys(PROFILES)) expect(texts.map(({ text }) => text)).toContain(name);
    expect(texts.every(({ text }) => text.length <= 40)).toBe(true);
  });

  it('begins a new row after six machines, and labels the line at a quarter in each', () => {
    const { width, texts } = read(drawSimulations(simulated('')));
    expect(width).toBeLessThan(1300);
    const rows = Math.ceil(Object.keys(PROFILES).length / 6);
    expect(texts.filter(({ text }) => text === '25 % of RAM')).toHaveLength(rows);
  });

  it('draws each class as high as its share of RAM', () => {
    const { bars } = read(
      drawSimulations(simulated('[Pool scattered]\nLimit=10%\n[Pool device]\nLimit=5%\n', ['steam-deck'])),
    );
    const [scattered, device, plain] = ['#4477aa', '#44bb99', '#bbbbbb'].map((fill) =>
      bars.find((bar) => bar.fill === fill),
    );
    expect(device?.height).toBeCloseTo((scattered?.height ?? 0) / 2, 0);
    // One stands on the other.
    expect((device?.y ?? 0) + (device?.height ?? 0)).toBeCloseTo(scattered?.y ?? 0, 0);
    expect(plain?.height).toBeCloseTo(device?.height ?? 0, 0);
  });

  it('marks what lacks, and what does not', () => {
    const stylesOf = (text: string): readonly string[] =>
      read(drawSimulations(simulated(text, ['steam-deck']))).texts.map(({ style }) => style);
    expect(stylesOf('')).not.toContain('bad');
    expect(stylesOf('')).toContain('good');
    const little = '[Pool scattered]\nLimit=1M\n[Pool device]\nLimit=1M\n';
    expect(stylesOf(little)).toContain('bad');
    expect(stylesOf(little)).not.toContain('good');
  });

  it('makes room for a machine that hands out more than the others', () => {
    const { bars, height } = read(
      drawSimulations(simulated('[Pool scattered]\nLimit=300%\n', ['steam-deck'])),
    );
    for (const bar of bars) {
      expect(bar.y).toBeGreaterThan(0);
      expect(bar.y + bar.height).toBeLessThan(height);
    }
  });

  it('escapes names', () => {
    const [one] = simulated('', ['steam-deck']);
    if (one === undefined) throw new Error('one machine');
    expect(drawSimulations([{ ...one, name: '<b>&' }])).toContain('&lt;b&gt;&amp;');
  });

  it('is a picture of no machine too', () => {
    expect(read(drawSimulations([])).bars).toEqual([]);
  });
});
