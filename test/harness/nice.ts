import { readdirSync, readFileSync } from 'node:fs';

/** Of proc_pid_stat(5), counted from what follows the name in parentheses. */
const NICE = 16;

/** Nice values of a Node.js process's threads: of its event loop's, and of all others. */
export function niceValues(pid: number): { readonly loop: number; readonly others: readonly number[] } {
  const of = (thread: string): number => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[NICE]);
  };
  const loop = String(pid);
  const others = readdirSync(`/proc/${pid}/task`).filter((thread) => thread !== loop);
  return { loop: of(loop), others: others.map(of) };
}
