import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { endChild } from '../harness/private-bus.js';
import type { Measure } from './figures.js';
import { onOneProcessor } from './one-processor.js';

const processorsOf = (pid: number): string | undefined =>
  /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];

test('everybody is on one processor while it is measured, and not afterwards', async () => {
  const other = spawn('sleep', ['60']);
  try {
    const { pid = 0 } = other;
    const seen = (): readonly unknown[] => [pid, process.pid].map(processorsOf);
    const before = seen();
    const during: unknown[] = [];
    const measure = (failure?: Error): Measure => ({
      name: 'a call',
      against: 'another',
      target: 2,
      take: () => {
        during.push(...seen());
        return failure === undefined
          ? Promise.resolve({ ours: [2], baseline: [1] })
          : Promise.reject(failure);
      },
    });
    const [kept, failing] = onOneProcessor({ pids: [pid] }, [measure(), measure(new Error('no bus'))]);
    expect(kept).toMatchObject({ name: 'a call, all on one processor', against: 'another', target: 2 });
    await expect(kept?.take()).resolves.toEqual({ ours: [2], baseline: [1] });
    expect(seen()).toEqual(before);
    await expect(failing?.take()).rejects.toThrow('no bus');
    expect(seen()).toEqual(before);
    expect(new Set(during).size).toBe(1);
    expect(during[0]).toMatch(/^\d+$/);
  } finally {
    await endChild(other);
  }
});
