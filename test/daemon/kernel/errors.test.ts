import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';

import { errnoName } from '../../../daemon/kernel/errors.js';

describe('errnoName', () => {
  it.each(['EAGAIN', 'EOPNOTSUPP', 'ENOTTY', 'ENODEV'] as const)('names %s as Linux does', (name) => {
    expect(errnoName(constants.errno[name])).toBe(name);
  });

  it('says the number of what has no name', () => {
    expect(errnoName(4095)).toBe('errno 4095');
  });
});
