import { describe, expect, it } from 'vitest';

import { countBuffers } from '../../../daemon/broker/problem.js';
import type { Constraint } from '../../../daemon/constraints/constraint-types.js';
import { LIMITS } from '../../../dbus/names.js';
import { naming } from '../../harness/naming.js';

const holding = (...held: number[]): Constraint[] =>
  held.map((value, entry) => ({
    kind: 'min-buffers',
    value,
    origin: { entry, device: 'cpu', source: 'client' },
  }));

describe('countBuffers', () => {
  it('makes as many as the participants hold at once, and at least one', () => {
    expect(countBuffers({}, [])).toEqual({ count: 1 });
    expect(countBuffers({}, holding(0))).toEqual({ count: 1 });
    expect(countBuffers({}, holding(3, 2, 1))).toEqual({ count: 6 });
    expect(countBuffers({}, holding(16))).toEqual({ count: 16 });
  });

  it('refuses to make more in one call than fit', () => {
    expect(() => countBuffers({}, holding(9, 8))).toThrow(
      expect.objectContaining({ code: 'TooManyBuffers' }),
    );
    expect(() => countBuffers({}, holding(9, 8))).toThrow(naming(17, LIMITS.buffersPerCall));
  });

  it.each([
    [{ count: 2 }, 2, 'count', 2],
    [{ total: 3 }, 3, 'total', 3],
    [{ total: 40 }, 16, 'total', 40],
    [{ count: 4, total: 40 }, 4, 'total', 40],
  ] as const)('takes the request %j at its word', (request, count, kind, value) => {
    expect(countBuffers(request, holding(30))).toEqual({
      count,
      constraint: { kind, value, origin: { entry: -1, device: '', source: 'request' } },
    });
  });
});
