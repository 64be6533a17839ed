import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Environment of a daemon whose memory can be measured. */
export const MEASURABLE = {
  NODE_OPTIONS: `--import=${fileURLToPath(new URL('../tools/collect-on-signal.mjs', import.meta.url))}`,
};

/** Memory of a process that is idle and has no garbage, in bytes. */
export interface MemorySample {
  /** What its JavaScript holds on to, buffers outside of the heap included. */
  readonly held: number;
  /** Its anonymous memory as the kernel sees it: native code's too, and V8's reserve. */
  readonly anonymous: number;
}

/** A daemon that was started with `MEASURABLE`. */
export interface MeasurableDaemon {
  readonly pid: number;
  log(): string;
}

/** Waits until something is seen. */
export type Until = <T>(what: string, look: () => T | undefined) => Promise<T>;

/** Has a daemon collect its garbage, and looks at what is left. */
export async function measure(daemon: MeasurableDaemon, until: Until): Promise<MemorySample> {
  const before = collections(daemon).length;
  process.kill(daemon.pid, 'SIGUSR2');
  const held = await until('the daemon has collected its garbage', () => {
    const seen = collections(daemon);
    return seen.length === before ? undefined : Number(seen.at(-1)?.[1]);
  });
  const rollup = readFileSync(`/proc/${daemon.pid}/smaps_rollup`, 'utf8');
  const [, kibibytes] = /^Anonymous: +(\d+) kB$/m.exec(rollup) ?? [];
  return { held, anonymous: Number(kibibytes) * 1024 };
}

const collections = (daemon: MeasurableDaemon): RegExpExecArray[] => [
  ...daemon.log().matchAll(/^collected \d+: (\d+) bytes$/gm),
];

/** Slope of the line that fits values at equal steps best (least squares), per step. */
export function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const products = values.reduce((sum, value, i) => sum + (i - middle) * value, 0);
  return products / values.reduce((sum, _value, i) => sum + (i - middle) ** 2, 0);
}
