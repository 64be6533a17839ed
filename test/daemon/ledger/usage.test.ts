import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Owner } from '../../../daemon/ledger/ledger-types.js';
import { NOTHING, SUBJECTS, Usage, type Amount, type Subject } from '../../../daemon/ledger/usage.js';

const owners: readonly Owner[] = [1000, 1001].flatMap((uid) =>
  [':1.1', ':1.2'].flatMap((name) =>
    // A client has one unit, so that the name says which.
    ['a', 'b'].map((bus) => ({ bus, name, uid, groups: [], unit: name === ':1.1' ? 'app.scope' : '' })),
  ),
);

const sameSubject: Readonly<Record<Subject, (a: Owner, b: Owner) => boolean>> = {
  user: (a, b) => a.uid === b.uid,
  client: (a, b) => a.bus === b.bus && a.name === b.name,
  unit: (a, b) => a.unit !== '' && a.unit === b.unit && a.uid === b.uid,
};

const sum = (amounts: readonly Amount[]): Amount =>
  amounts.reduce((a, b) => ({ bytes: a.bytes + b.bytes, buffers: a.buffers + b.buffers }), NOTHING);

describe('Usage', () => {
  it('agrees with the sum over everything that is held, for every subject, whatever comes and goes', () => {
    const step = fc.record({
      owner: fc.integer({ min: 0, max: owners.length - 1 }),
      bytes: fc.bigInt({ min: 0n, max: 2n ** 40n }),
      buffers: fc.integer({ min: 1, max: 16 }),
      goes: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const usage = new Usage();
        const held: { owner: Owner; amount: Amount }[] = [];
        for (const { owner: index, bytes, buffers, goes } of steps) {
          const owner = owners[index] ?? fail();
          const gone = goes ? held.shift() : undefined;
          if (gone !== undefined) usage.take(gone.owner, gone.amount);
          usage.add(owner, { bytes, buffers });
          held.push({ owner, amount: { bytes, buffers } });
          for (const asked of owners)
            for (const subject of SUBJECTS) {
              const its = held.filter((entry) => sameSubject[subject](entry.owner, asked));
              expect(usage.of(subject, asked)).toEqual(sum(its.map(({ amount }) => amount)));
            }
        }
        for (const { uid } of owners)
          expect(sum(usage.holders(uid))).toEqual(
            usage.of('user', { bus: '', name: '', uid, groups: [], unit: '' }),
          );
        for (const { owner, amount } of held) usage.take(owner, amount);
        for (const { uid } of owners) expect(usage.holders(uid)).toEqual([]);
      }),
    );
  });

  it('lists the largest holder first', () => {
    const usage = new Usage();
    const [small, , large] = owners;
    if (small === undefined || large === undefined) throw new Error('owners');
    usage.add(small, { bytes: 1n, buffers: 1 });
    usage.add(large, { bytes: 2n, buffers: 1 });
    expect(usage.holders(1000).map(({ name }) => name)).toEqual([':1.2', ':1.1']);
  });
});

function fail(): never {
  throw new Error('no such owner');
}
