/**
 * Loaded into a daemon before its own code (`--import`): measures how late its event loop's timers are, and writes that at
 * each SIGUSR2 to the file that DMABROKER_LOOP_DELAY names: nanoseconds at every hundredth from the least to the most, as
 * JSON, so that a hundredth of them is what it is of all. Then it begins anew.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds between two timers, which every value contains. */
const RESOLUTION = 1;

const file = process.env['DMABROKER_LOOP_DELAY'];
const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
delay.enable();
process.on('SIGUSR2', () => {
  if (file === undefined) return;
  const late = (value: number): number => Math.max(0, value - RESOLUTION * 1e6);
  const hundredths = Array.from({ length: 100 }, (_, i) => late(delay.percentile(i + 1)));
  // Under its name it is whole.
  writeFileSync(`${file}.new`, JSON.stringify([late(delay.min), ...hundredths]));
  renameSync(`${file}.new`, file);
  delay.reset();
});
