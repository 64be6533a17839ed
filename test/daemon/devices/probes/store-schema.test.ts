import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { RETENTIONS } from '../../../../daemon/devices/inventory.js';
import { MEMORY_CLASSES, USES } from '../../../../dbus/names.js';
import type { ProbeRecord } from '../../../../daemon/devices/probes/probe-record.js';
import { parseRecord, printRecord } from '../../../../daemon/devices/probes/store-schema.js';

const PLENTY = 1 << 20;
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
const verdict = fc.record(
  {
    reachable: fc.boolean(),
    source: fc.constantFrom('trial:ADDFB2', 'trial:PRIME_FD_TO_HANDLE:ENODEV', 'trial:QBUF:errno 524'),
    uses: fc.uniqueArray(fc.constantFrom(...USES), { minLength: 1 }),
  },
  { requiredKeys: ['reachable', 'source'] },
);
const record: fc.Arbitrary<ProbeRecord> = fc.record({
  classes: fc
    .array(fc.tuple(name, fc.constantFrom('contiguous' as const, 'scattered' as const)), { maxLength: 5 })
    .map((entries) => new Map(entries)),
  retention: fc
    .array(
      fc.tuple(
        name,
        fc.record({
          value: fc.constantFrom(...RETENTIONS),
          source: fc.constantFrom('probe:VMSPLICE', 'probe:VMSPLICE:EFAULT', 'probe:MODE_MAP_DUMB'),
        }),
      ),
      { maxLength: 5 },
    )
    .map((entries) => new Map(entries)),
  reach: fc
    .array(fc.tuple(name, fc.array(verdict, { minLength: 1, maxLength: 4 })), { maxLength: 20 })
    .map((entries) => new Map(entries)),
});

const VALID = printRecord(
  'a machine',
  {
    classes: new Map([['dma-heap:reserved', 'contiguous']]),
    retention: new Map([['udmabuf', { value: 'nothing', source: 'probe:VMSPLICE:EFAULT' }]]),
    reach: new Map([['gpu < dma-heap:reserved', [{ reachable: true, source: 'trial:ADDFB2' }]]]),
  },
  PLENTY,
);
/** The file with one value replaced, wherever it stands. */
const withValue = (from: unknown, to: unknown): string =>
  VALID.replace(JSON.stringify(from), JSON.stringify(to));
const problemOf = (text: string): unknown => {
  const read = parseRecord(text);
  return 'problem' in read ? read.problem : undefined;
};

describe('what is kept of trials', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.string(), record, (machine, written) => {
        expect(parseRecord(printRecord(machine, written, PLENTY))).toEqual({ machine, record: written });
      }),
    );
  });

  it('never has more bytes than it may, and loses what comes last', () => {
    fc.assert(
      fc.property(record, fc.integer({ min: 100, max: 3000 }), (written, most) => {
        const text = printRecord('m', written, most);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(most);
        const read = parseRecord(text);
        if ('problem' in read) throw new Error(read.problem);
        const kept = [...read.record.reach];
        expect(kept).toEqual([...written.reach].slice(0, kept.length));
      }),
    );
  });

  it('may be any bytes without anything being thrown', () => {
    const json = fc.json();
    const bytes = fc.uint8Array().map((array) => Buffer.from(array).toString('latin1'));
    const cut = fc.nat({ max: VALID.length }).map((end) => VALID.slice(0, end));
    const spliced = fc
      .tuple(fc.nat({ max: VALID.length }), fc.nat({ max: 20 }), fc.string())
      .map(([at, gone, text]) => VALID.slice(0, at) + text + VALID.slice(at + gone));
    fc.assert(
      fc.property(fc.oneof(json, bytes, cut, spliced), (text) => {
        const read = parseRecord(text);
        expect('problem' in read ? read.problem : read.record.reach).toBeDefined();
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, string]>([
    ['another version', VALID.replace('"version":1', '"version":2')],
    ['no version', VALID.replace('"version":1', '"version":"1"')],
    ['a list', '[]'],
    ['nothing', 'null'],
    ['a class that no trial shows', withValue('contiguous', 'protected')],
    ['a source that is no trial', withValue('trial:ADDFB2', 'policy:/etc/dmabroker.conf:1')],
    ['a source with a line feed', withValue('trial:ADDFB2', 'trial:ADDFB2:E\nforged')],
    ['a long source', withValue('trial:ADDFB2', `trial:${'A'.repeat(100)}`)],
    ['a retention that is none', withValue('nothing', 'little')],
    ['a retention that no probe showed', withValue('probe:VMSPLICE:EFAULT', 'policy:/etc/x:1')],
    ['a word for yes', withValue(true, 'yes')],
    ['no verdict', VALID.replace(/\[\{"reachable".*?\]/, '[]')],
    ['a use that is none', VALID.replace('"trial:ADDFB2"', '"trial:ADDFB2","uses":["dance"]')],
    ['more than there is', VALID.replace('"machine"', '"owner":"me","machine"')],
  ])('is not believed with %s', (_, text) => {
    expect(text).not.toBe(VALID);
    expect(problemOf(text)).toEqual(expect.any(String));
  });

  it('is read as an earlier version of the daemon wrote it, without retention', () => {
    const read = parseRecord(VALID.replace(/"retention":\[[^\]]*\],\n/, ''));
    expect('record' in read && [read.record.retention.size, read.record.reach.size]).toEqual([0, 1]);
  });

  it('speaks of classes that there are', () => {
    expect(MEMORY_CLASSES).toEqual(expect.arrayContaining(['contiguous', 'scattered']));
    expect(problemOf(VALID)).toBeUndefined();
  });
});
