import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Replay } from '../../../../daemon/ledger/persist/replay.js';
import type { StateRecord } from '../../../../daemon/ledger/persist/journal-record.js';
import { records } from './arbitrary.js';

const pastOf = (happened: readonly StateRecord[]): Replay => {
  const replay = new Replay();
  for (const record of happened) replay.apply(record);
  return replay;
};

/** All that a past says, in an order of its own. */
const seen = (replay: Replay): unknown => ({
  buffers: [...replay.buffers].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  allocations: [...replay.allocations]
    .map(({ record, held, delivered: told, orphaned }) => ({
      id: record.id,
      held: [...held].toSorted(),
      told: [...told].filter((name) => held.has(name)).toSorted(),
      leaving: [...orphaned].toSorted(),
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
});

/** What would be written of a past to begin a file anew. */
function* standing(replay: Replay): Generator<StateRecord> {
  for (const buffer of replay.buffers.values()) yield { kind: 'made', buffer };
  for (const { record, held, delivered: told, orphaned } of replay.allocations) {
    yield { kind: 'held', allocation: record, buffers: [...held, ...orphaned] };
    yield { kind: 'told', id: record.id, buffers: [...told] };
    yield { kind: 'left', id: record.id, buffers: [...orphaned] };
  }
}

const histories = fc.array(records, { maxLength: 40 });

describe('a past', () => {
  it('is the same when what stands is written anew', () => {
    fc.assert(
      fc.property(histories, (happened) => {
        const replay = pastOf(happened);
        expect(seen(pastOf([...standing(replay)]))).toEqual(seen(replay));
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
        const names = [...pastOf(happened).allocations].flatMap(({ held, orphaned }) => [
          ...held,
          ...orphaned,
        ]);
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });
});
