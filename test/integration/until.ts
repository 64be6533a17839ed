import { vi } from 'vitest';

import type { Until } from '../harness/memory-growth.js';

/** Waits until something is seen. */
export const until: Until = (what, look) =>
  vi.waitFor(() => {
    const seen = look();
    if (seen === undefined) throw new Error(what);
    return seen;
  });
