import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import type { BenchStand } from './bench-stand.js';
import type { Measure } from './figures.js';

/**
 * The same measures with everybody who takes part on one processor: what a call costs in work alone. Else much of it is
 * waking another processor, several times a call, which a virtual machine pays its host for; and the kernel leaves a
 * service of little work on the processor of who asks, but not one of more.
 */
export const onOneProcessor = (
  stand: Pick<BenchStand, 'pids'>,
  measures: readonly Measure[],
): readonly Measure[] =>
  measures.map((measure) => ({
    ...measure,
    name: `${measure.name}, all on one processor`,
    take: async () => {
      // This process too, so that what it starts meanwhile is there.
      const all = [process.pid, ...stand.pids];
      const allowed = allowedProcessors();
      const [first = ''] = /^\d+/.exec(allowed) ?? [];
      try {
        for (const pid of all) place(pid, first);
        return await measure.take();
      } finally {
        for (const pid of all) place(pid, allowed);
      }
    },
  }));

/** Processors that this process may run on, as taskset(1) takes them. */
function allowedProcessors(): string {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  if (allowed === undefined) throw new Error('/proc/self/status does not say which processors are allowed');
  return allowed;
}

/** All threads of a process. */
const place = (pid: number, processors: string): void =>
  void execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', processors, String(pid)]);
