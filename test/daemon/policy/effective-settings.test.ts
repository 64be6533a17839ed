import { describe, expect, it } from 'vitest';
import { MEMORY_CLASSES } from '../../../dbus/names.js';
import { KEYS } from '../../../daemon/policy/keys.js';
import { mergePolicy } from '../../../daemon/policy/merge.js';
import { parsePolicyFile } from '../../../daemon/policy/parse.js';

const words = (...texts: string[]) =>
  mergePolicy(
    texts.map((text, index) => parsePolicyFile(`${index}.conf`, Buffer.from(text))),
  ).effectiveSettings();
const of = (all: ReturnType<typeof words>, heading: string) =>
  all.filter((word) => word.heading === heading).map(({ key, text, source }) => [key, text, source]);

describe('the words of a policy', () => {
  it('are every key of broker, pools and quotas, built in where nobody says more', () => {
    const all = words();
    const headings = ['[Broker]', ...MEMORY_CLASSES.map((name) => `[Pool ${name}]`), '[Quota]'];
    expect([...new Set(all.map(({ heading }) => heading))]).toEqual(headings);
    expect(of(all, '[Pool plain]').map(([key]) => key)).toEqual(Object.keys(KEYS.Pool));
    expect(of(all, '[Pool plain]')[0]).toEqual(['Limit', 'min(80% of heap, 5%)', 'policy:built-in']);
    expect(new Set(all.map(({ source }) => source))).toEqual(new Set(['policy:built-in']));
  });

  it('are the last that were said, in the shortest form', () => {
    const all = words(
      '[Pool contiguous]\nLimit=min( 40%  of heap,100 M)\nIdle=90\n',
      '[Pool contiguous]\nIdle=\nAccess=active-session  group:video\n',
    );
    expect(of(all, '[Pool contiguous]')).toEqual([
      ['Limit', 'min(40% of heap, 100M)', 'policy:0.conf:2'],
      ['Share', '50%', 'policy:built-in'],
      ['Warm', 'min(2%, 25% of heap)', 'policy:built-in'],
      ['Idle', '1min', 'policy:built-in'],
      ['Access', 'active-session group:video', 'policy:1.conf:3'],
    ]);
  });

  it('have what is said of some callers behind what is said of all', () => {
    const all = words(
      '[Quota  group:video   unit:a*]\nBytes=1M\nRate=5\n[Quota user:otto]\nBytes=2M\n[Quota group:video unit:a*]\nBytes=3M\n',
    );
    expect(all.slice(-3)).toEqual([
      { heading: '[Quota group:video unit:a*]', key: 'Rate', text: '5', source: 'policy:0.conf:3' },
      { heading: '[Quota group:video unit:a*]', key: 'Bytes', text: '3M', source: 'policy:0.conf:7' },
      { heading: '[Quota user:otto]', key: 'Bytes', text: '2M', source: 'policy:0.conf:5' },
    ]);
  });

  it('do not have what was taken back, for the same callers or for all', () => {
    const all = words(
      '[Quota user:anna]\nBytes=1M\nRate=5\nBurst=7\n[Quota user:otto]\nBytes=2M\n',
      '[Quota user:anna]\nRate=\n[Quota]\nBytes=9M\n',
    );
    expect(all.filter(({ heading }) => heading.startsWith('[Quota ')).map(({ key }) => key)).toEqual([
      'Burst',
    ]);
    expect(of(all, '[Quota]')[0]).toEqual(['Bytes', '9M', 'policy:1.conf:4']);
  });
});
