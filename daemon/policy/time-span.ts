import type { Parsed } from './problem.js';
import type { ValueType } from './value-types.js';

/** Milliseconds in each unit that systemd.time(7) has, by each of its names; the first name of a unit is the one printed. */
const UNITS: readonly (readonly [milliseconds: number, ...names: readonly string[]])[] = [
  [604_800_000, 'w', 'week', 'weeks'],
  [86_400_000, 'd', 'day', 'days'],
  [3_600_000, 'h', 'hr', 'hour', 'hours'],
  [60_000, 'min', 'm', 'minute', 'minutes'],
  [1000, 's', 'sec', 'second', 'seconds'],
  [1, 'ms', 'msec'],
];
const BY_NAME: ReadonlyMap<string, number> = new Map(
  UNITS.flatMap(([milliseconds, ...names]) => names.map((name) => [name, milliseconds] as const)),
);
const DEFAULT_UNIT_MS = 1000;

/** Longer is `infinity`; shorter than this many milliseconds every sum is exact. */
const MAX_SPAN_MS = Number.MAX_SAFE_INTEGER;

/** Milliseconds, written as in systemd.time(7): `30s`, `5min`, `1h 30min`, `90` (seconds), `infinity`. */
export const timeSpan: ValueType<number> = {
  syntax: 'a time span, such as 30s, 5min or infinity',
  parse(text) {
    if (text === 'infinity') return { ok: true, value: Infinity };
    return readSpan(text, this.syntax);
  },
  print(value) {
    if (value === Infinity) return 'infinity';
    let rest = value;
    const parts = UNITS.flatMap(([milliseconds, name]) => {
      const many = Math.floor(rest / milliseconds);
      rest -= many * milliseconds;
      return many === 0 ? [] : [`${many}${name}`];
    });
    return parts.length === 0 ? '0' : parts.join(' ');
  },
};

function readSpan(text: string, syntax: string): Parsed<number> {
  const part = /\s*(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]*)\s*/y;
  let sum = 0;
  while (part.lastIndex < text.length || text === '') {
    const offset = part.lastIndex;
    const [whole, digits, name = ''] = part.exec(text) ?? [];
    const unit = name === '' ? DEFAULT_UNIT_MS : BY_NAME.get(name);
    if (whole === undefined || digits === undefined)
      return { ok: false, kind: 'bad-value', problem: `it takes ${syntax}`, offset };
    if (unit === undefined) {
      return {
        ok: false,
        kind: 'unknown-unit',
        problem: 'the units are ms, s, min, h, d and w',
        offset: offset + whole.indexOf(name),
      };
    }
    sum += Number(digits) * unit;
  }
  if (sum > MAX_SPAN_MS)
    return { ok: false, kind: 'out-of-range', problem: 'too long', offset: 0, suggestion: 'infinity' };
  return { ok: true, value: Math.round(sum) };
}
