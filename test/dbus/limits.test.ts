import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { contractKey, DEVICE_KEYS, libraryKey } from '../../client/wire/keys.js';
import { KEYS } from '../../daemon/policy/keys.js';
import {
  ALL_LIMITS,
  boundsOf,
  isLimitOf,
  limitRow,
  limitsOf,
  WIDEST,
  type Limit,
} from '../../dbus/limits.js';
import { readComment } from '../tools/manual/comment.js';

const file = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const XML = file('dbus/org.dmabroker1.xml');
const CONF = file('policy/dmabroker.conf.5').replaceAll('\n', ' ');
const LIBRARY = file('client/man/dmabroker.3').replaceAll('\n', ' ');
const PROGRAM = file('client/man/dmabrokerctl.1').replaceAll('\n', ' ');

const pascal = (key: string): string =>
  key.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What the interface says of a value besides: unit and bounds. */
function rangeText(limit: Limit): string {
  if (isLimitOf('b', limit)) return '; false has no effect';
  const row = limitRow(limit);
  if (row.type === 'u') {
    const { least, most } = boundsOf(limit as ReturnType<typeof limitsOf<'u'>>[number]);
    if (most < WIDEST) return `; ${least} to ${most}`;
    if (row.unit === 'buffers') return '';
    if (least === 0) return `; ${row.unit}`;
  }
  return row.type === 'b' ? '' : `; ${row.unit}, from 1`;
}

/** Words of a list in a manual page: `.Cm pitch-multiple , pitch-exact ,`. */
const listed = (text: string): readonly string[] =>
  text.match(/\b[a-z]+-[a-z-]+|\b(?:contiguous|protected)\b/g) ?? [];

describe('the table of limits and the D-Bus interface', () => {
  const [, comment = ''] = /<method name="Allocate">\s*<!--([^]*?)-->/.exec(XML) ?? [];
  const rows = readComment(comment).flatMap((block) => (block.kind === 'table' ? block.rows : []));

  it('have the same keys in the same order', () => {
    expect(rows.map(({ key }) => key)).toEqual(['uses', 'modifiers', 'formats', ...ALL_LIMITS]);
  });

  it.each(ALL_LIMITS)('say the same of %s', (limit) => {
    const row = rows.find(({ key }) => key === limit);
    expect(row?.type).toBe(limitRow(limit).type);
    expect(row?.text.replaceAll(/\s+/g, ' ')).toBe(limitRow(limit).doc + rangeText(limit));
  });

  it('say the same of memory with no image in it', () => {
    const [, accepted = ''] = /If the buffer has a size, only uses, ([^]*?) are accepted/.exec(comment) ?? [];
    expect(listed(accepted)).toEqual(ALL_LIMITS.filter((limit) => !limitRow(limit).imageOnly));
  });
});

describe('the table of limits and the policy files', () => {
  const keys = Object.entries(KEYS.Device).flatMap(([name, { limit, doc }]) =>
    limit ? [{ name, doc }] : [],
  );
  const ofPolicy = ALL_LIMITS.filter((limit) => limitRow(limit).policyKey !== undefined);

  it('have the same keys in the same order, each spelled as the limit is', () => {
    expect(keys.map(({ name }) => name)).toEqual(ofPolicy.map(pascal));
    expect(ofPolicy.map((limit) => limitRow(limit).policyKey)).toEqual(ofPolicy.map(pascal));
  });

  it.each(keys)('say the same of $name, as the manual does', ({ name, doc }) => {
    const [, said = ''] =
      new RegExp(`\\.It Ic ${name} Ns = Ns Ar \\S+ (.*?) \\.It `).exec(CONF.split('.Sh DEVICES')[1] ?? '') ??
      [];
    expect(doc.toLowerCase()).toBe(
      `${limitRow(ofPolicy.find((limit) => pascal(limit) === name) ?? 'contiguous').doc.toLowerCase()}.`,
    );
    expect(said).toContain(doc);
  });

  it('call the last of them by its name', () => {
    expect(CONF).toContain(`The keys up to .Ic ${keys.at(-1)?.name ?? ''} are limits.`);
  });
});

describe('the table of limits and the client', () => {
  it.each(ALL_LIMITS)('have one spelling for %s', (limit) => {
    expect(contractKey(libraryKey(limit))).toBe(limit);
    expect(DEVICE_KEYS[libraryKey(limit)]).toBe(limitRow(limit).type);
  });

  it('name the same in dmabroker(3), in the same order', () => {
    const [, list = ''] = /and what it does with them\.(.*?) \.El/.exec(LIBRARY) ?? [];
    const named = [...list.matchAll(/\.It Va (\w+(?: , \w+)*) Pq/g)].flatMap(([, names]) =>
      names?.split(' , '),
    );
    expect(named).toEqual(Object.keys(DEVICE_KEYS));
  });

  it('name the same in dmabrokerctl(1), with a value or without', () => {
    const [, valued = ''] = /a limit with its value: (.*?) or \.Cm modifiers/.exec(PROGRAM) ?? [];
    const [, needs = ''] = /a limit without a value: (.*?) \.El/.exec(PROGRAM) ?? [];
    expect(listed(valued)).toEqual(ALL_LIMITS.filter((limit) => !isLimitOf('b', limit)));
    expect(listed(needs)).toEqual(limitsOf('b'));
  });
});
