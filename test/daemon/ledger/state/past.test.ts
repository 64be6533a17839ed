import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Past } from '../../../../daemon/ledger/state/past.js';
import type { StateRecord } from '../../../../daemon/ledger/state/record.js';
import { records } from './arbitrary.js';

const pastOf = (happened: readonly StateRecord[]): Past => {
  const past = new Past();
  for (const record of happened) past.apply(record);
  return past;
};

/** All that a past says, in an order of its own. */
const seen = (past: Past): unknown => ({
  buffers: [...past.buffers].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  allocations: [...past.allocations]
    .map(({ record, held, told, leaving }) => ({
      id: record.id,
      held: [...held].toSorted(),
      told: [...told].filter((name) => held.has(name)).toSorted(),
      leaving: [...leaving].toSorted(),
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
});

/** What would be written of a past to begin a file anew. */
function* standing(past: Past): Generator<StateRecord> {
  for (const buffer of past.buffers.values()) yield { kind: 'made', buffer };
  for (const { record, held, told, leaving } of past.allocations) {
    yield { kind: 'held', allocation: record, buffers: [...held, ...leaving] };
    yield { kind: 'told', id: record.id, buffers: [...told] };
    yield { kind: 'left', id: record.id, buffers: [...leaving] };
  }
}

const histories = fc.array(records, { maxLength: 40 });

describe('a past', () => {
  it('is the same when what stands is written anew', () => {
    fc.assert(
      fc.property(histories, (happened) => {
        const past = pastOf(happened);
        expect(seen(pastOf([...standing(past)]))).toEqual(seen(past));
      }),
    );
  });

  it('is the same when what stood in the middle is read a second time, and then what came after', () => {
    fc.assert(
      fc.property(histories, histories, (before, after) => {
        const middle = pastOf(before);
        const once = pastOf([...before, ...after]);
        const twice = pastOf([...before, ...standing(middle), ...after]);
        expect(seen(twice)).toEqual(seen(once));
      }),
    );
  });

  it('never has a buffer in two places', () => {
    fc.assert(
      fc.property(histories, (happened) => {
        const names = [...pastOf(happened).allocations].flatMap(({ held, leaving }) => [...held, ...leaving]);
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });
});
