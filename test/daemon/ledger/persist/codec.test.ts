import fc from 'fast-check';
import { expect, it } from 'vitest';

import { decodeRecord, encodeRecord } from '../../../../daemon/ledger/persist/codec.js';
import { Shape, ShapeError } from '../../../../daemon/ledger/persist/json-shape.js';
import { records } from './arbitrary.js';

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

it('reads every record as it was written', () => {
  fc.assert(
    fc.property(records, (record) => {
      expect(decodeRecord(new Shape(throughJson(encodeRecord(record))))).toEqual(record);
    }),
  );
});

it('refuses everything else with one kind of error', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(() => decodeRecord(new Shape(value))).toThrow(ShapeError);
    }),
  );
});

it('refuses a record of which anything is missing', () => {
  fc.assert(
    fc.property(records, fc.nat(), (record, at) => {
      const parts = throughJson(encodeRecord(record)) as unknown[];
      parts.splice(at % parts.length, 1);
      expect(() => decodeRecord(new Shape(parts))).toThrow(ShapeError);
    }),
  );
});
