/**
 * Loaded into a daemon before its own code (`--import`): measures how late its event loop's timers are, and writes that at
 * each SIGUSR2 to the file that DMABROKER_LOOP_DELAY names: nanoseconds at every hundredth, as JSON. Then it begins anew.
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
  const hundredths = Array.from({ length: 100 }, (_, i) => late(delay.percentile(i + 0.5)));
  // Under its name it is whole.
  writeFileSync(`${file}.new`, JSON.stringify([...hundredths, late(delay.max)]));
  renameSync(`${file}.new`, file);
  delay.reset();
});
