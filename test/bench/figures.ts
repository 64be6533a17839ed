import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

import type { Curve } from './curve.js';
import { quantile } from './load.js';

/** Nanoseconds of both sides of a measure, taken in turns in the same run. */
export interface Taken {
  readonly ours: readonly number[];
  readonly baseline: readonly number[];
}

/**
 * What should not be exceeded: a ratio of the medians, or a time in microseconds at p99. A floor is nothing of ours: what
 * is measured there is what no service of its kind can be quicker than.
 */
export type Target = number | { readonly p99: number } | 'floor';

/** One thing that is measured against another. */
export interface Measure {
  readonly name: string;
  /** What it is measured against. */
  readonly against: string;
  readonly target: Target;
  take(): Promise<Taken>;
}

/** What came of a measure; times in microseconds. */
export interface Figure {
  readonly name: string;
  readonly against: string;
  readonly rounds: number;
  readonly median: number;
  readonly p99: number;
  readonly baseline: { readonly median: number; readonly p99: number };
  /** Of the medians. */
  readonly ratio: number;
  readonly target: Target;
}

/** One run of all measures, and where it was made. */
export interface Run {
  readonly date: string;
  readonly machine: Readonly<Record<string, string>>;
  readonly figures: readonly Figure[];
  /** Where they were asked for. */
  readonly curves?: readonly Curve[];
}

export function figureOf({ name, against, target }: Measure, { ours, baseline }: Taken): Figure {
  const { median, p99 } = summary(ours);
  const base = summary(baseline);
  const ratio = median / base.median;
  return { name, against, rounds: ours.length, median, p99, baseline: base, ratio, target };
}

export const summary = (nanoseconds: readonly number[]): Figure['baseline'] => ({
  median: quantile(nanoseconds, 0.5) / 1000,
  p99: quantile(nanoseconds, 0.99) / 1000,
});

/** What the figures depend on. */
export function machineFacts(): Run['machine'] {
  const processors = cpus();
  return {
    processor: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 20)} MiB`,
    kernel: release(),
    node: process.version,
    bus: versionOf('dbus-daemon'),
    compiler: versionOf('gcc'),
  };
}

function versionOf(program: string): string {
  const [line = ''] = execFileSync(program, ['--version'], { encoding: 'utf8' }).split('\n');
  return line;
}

const COLUMNS = ['measure', 'median µs', 'p99 µs', 'against', 'median µs', 'p99 µs', 'ratio', 'target'];

/** A table for a person. */
export function table(figures: readonly Figure[]): string {
  return aligned([
    COLUMNS,
    ...figures.map(({ name, median, p99, against, baseline, ratio, target }) => [
      name,
      ...[median, p99].map(shown),
      against,
      ...[baseline.median, baseline.p99].map(shown),
      times(ratio),
      verdict({ ratio, p99, target }),
    ]),
  ]);
}

/** Whether the target is kept. */
export function verdict({ ratio, p99, target }: Pick<Figure, 'ratio' | 'p99' | 'target'>): string {
  if (target === 'floor') return target;
  return typeof target === 'number'
    ? `${ratio <= target ? 'kept' : 'missed'} (${times(target)})`
    : `${p99 <= target.p99 ? 'kept' : 'missed'} (p99 ${shown(target.p99)} µs)`;
}

/** How two runs differ, figure by figure; those that only one of them has are left out. */
export function comparison(before: Run, after: Run): string {
  const old = new Map(before.figures.map((figure) => [figure.name, figure]));
  const rows = after.figures.flatMap(({ name, median, ratio }) => {
    const known = old.get(name);
    if (known === undefined) return [];
    const change = `${ratio < known.ratio ? '' : '+'}${Math.round((ratio / known.ratio - 1) * 100)} %`;
    return [[name, shown(known.median), shown(median), times(known.ratio), times(ratio), change]];
  });
  return aligned([['measure', 'before µs', 'after µs', 'before', 'after', 'change of the ratio'], ...rows]);
}

export const shown = (microseconds: number): string => microseconds.toFixed(microseconds < 1000 ? 1 : 0);
export const times = (ratio: number): string => `${ratio.toFixed(ratio < 0.1 ? 3 : 2)}×`;

/** Rows as text, their columns below each other. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
