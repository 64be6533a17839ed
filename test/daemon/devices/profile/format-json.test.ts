import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatJson } from '../../../../daemon/devices/profile/write.js';

describe('formatJson', () => {
  it('writes JSON that says the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(formatJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('puts on a line what fits on one, and fills the lines of a long list', () => {
    const text = formatJson({ short: { a: 1, b: [] }, long: Array.from({ length: 40 }, (_, i) => i * 1000) });
    expect(text.split('\n')[1]).toBe('  "short": { "a": 1, "b": [] },');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
    expect(text.split('\n')).toHaveLength(9);
    expect(text.endsWith('}\n')).toBe(true);
  });
});
