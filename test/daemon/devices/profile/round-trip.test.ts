import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Value } from 'typebox/value';

import { inventoryFromProfile } from '../../../../daemon/devices/profile/read.js';
import { ProfileSchema, type Provenance } from '../../../../daemon/devices/profile/schema.js';
import { profileFromInventory, recordProfile } from '../../../../daemon/devices/profile/write.js';
import { arbitraryInventory } from '../../../tools/arbitrary-inventory.js';

const provenance: Provenance = { kind: 'constructed', from: ['a test'] };

describe('a profile', () => {
  it('gives back the inventory that it was made of, whatever that is', () => {
    fc.assert(
      fc.property(arbitraryInventory, (inventory) => {
        const loaded = inventoryFromProfile(profileFromInventory(inventory, provenance), 'a.json');
        expect(loaded).toEqual({ inventory, provenance, warnings: [] });
      }),
    );
  });

  it('is of its schema', () => {
    fc.assert(
      fc.property(arbitraryInventory, (inventory) => {
        const document: unknown = JSON.parse(profileFromInventory(inventory, provenance));
        expect(Value.Errors(ProfileSchema, document)).toEqual([]);
      }),
    );
  });

  it('says of a recorded machine when it was read and by which kernel', () => {
    fc.assert(
      fc.property(arbitraryInventory, (inventory) => {
        const now = new Date('2025-06-01T12:00:00Z');
        const { provenance: read } = inventoryFromProfile(recordProfile(inventory, now), 'a.json');
        expect(read).toEqual({
          kind: 'recorded',
          at: '2025-06-01T12:00:00.000Z',
          kernel: inventory.machine.kernel,
        });
      }),
      { numRuns: 10 },
    );
  });
});
