import { describe, expect, it } from 'vitest';

import { constraintText } from '../../../daemon/broker/text.js';
import type { Constraint } from '../../../daemon/constraints/types.js';

const classOf = (handle: string): string => (handle === 'ab12' ? 'contiguous' : 'scattered');
const origin = { entry: 1, device: '/dev/dri/card0', source: 'policy:/etc/dmabroker/dmabroker.conf:3' };
const request = { entry: -1, device: '', source: 'request' };
const text = (constraint: Constraint): string => constraintText(constraint, classOf);

describe('constraintText', () => {
  it('says value, device and source', () => {
    expect(text({ kind: 'pitch-multiple', value: 256, origin })).toBe(
      'pitch-multiple 256 of /dev/dri/card0 (entry 1, policy:/etc/dmabroker/dmabroker.conf:3)',
    );
  });

  it('says what the request itself asked', () => {
    expect(text({ kind: 'size', value: 1n << 64n, origin: request })).toBe(
      'size 18446744073709551616 of the request',
    );
  });

  it('names memory by handle and class', () => {
    const memory = { entry: -1, device: '', source: 'memory:cd34' };
    expect(text({ kind: 'contiguous', value: false, origin: memory, memory: 'cd34' })).toBe(
      'contiguous false of memory cd34 (scattered)',
    );
    expect(text({ kind: 'reach', value: ['ab12', 'cd34'], origin })).toMatch(
      /^reach memory ab12 \(contiguous\), memory cd34 \(scattered\) of/,
    );
  });

  it('shows modifiers as people write them, and only some of very many', () => {
    expect(text({ kind: 'modifiers', value: [0n, 0x100000000000001n], origin: request })).toBe(
      'modifiers linear, 0x100000000000001 of the request',
    );
    expect(text({ kind: 'formats', value: [], origin })).toMatch(/^formats none of/);
    const many = Array.from({ length: 100 }, (_, i) => BigInt(i));
    expect(text({ kind: 'modifiers', value: many, origin: request })).toMatch(
      /0x7 and 92 more of the request$/,
    );
  });
});
