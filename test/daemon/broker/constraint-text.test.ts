import { describe, expect, it } from 'vitest';

import { constraintText } from '../../../daemon/broker/constraint-text.js';
import type { Constraint } from '../../../daemon/constraints/constraint-types.js';
import { naming } from '../../harness/naming.js';

const classOf = (handle: string): string => (handle === 'ab12' ? 'contiguous' : 'scattered');
const origin = { entry: 1, device: '/dev/dri/card0', source: 'policy:/etc/dmabroker/dmabroker.conf:3' };
const request = { entry: -1, device: '', source: 'request' };
const text = (constraint: Constraint): string => constraintText(constraint, classOf);

describe('constraintText', () => {
  it('says value, device and source', () => {
    expect(text({ kind: 'pitch-multiple', value: 256, origin })).toMatch(
      naming('pitch-multiple 256', '/dev/dri/card0', 1, 'policy:/etc/dmabroker/dmabroker.conf:3'),
    );
  });

  it('says what the request itself asked', () => {
    const said = text({ kind: 'size', value: 1n << 64n, origin: request });
    expect(said).toMatch(naming('size 18446744073709551616 bytes', 'request'));
    expect(said).not.toContain('-1');
  });

  it('names memory by handle and class', () => {
    const memory = { entry: -1, device: '', source: 'memory:cd34' };
    expect(text({ kind: 'contiguous', value: false, origin: memory, memory: 'cd34' })).toMatch(
      naming('contiguous no', 'cd34', 'scattered'),
    );
    expect(text({ kind: 'reach', value: ['ab12', 'cd34'], origin })).toMatch(
      naming('reach', 'ab12', 'contiguous', 'cd34', 'scattered', '/dev/dri/card0'),
    );
  });

  it('shows modifiers as people write them, and only some of very many', () => {
    expect(text({ kind: 'modifiers', value: [0n, 0x100000000000001n], origin: request })).toMatch(
      naming('modifiers LINEAR, 0x100000000000001', 'request'),
    );
    expect(text({ kind: 'formats', value: [], origin })).toMatch(naming('formats none', '/dev/dri/card0'));
    const many = Array.from({ length: 100 }, (_, i) => BigInt(i));
    const some = text({ kind: 'modifiers', value: many, origin: request });
    expect(some).toMatch(naming('LINEAR', '0x7', 92));
    expect(some).not.toContain('0x8');
  });
});
