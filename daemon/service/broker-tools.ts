import { performance } from 'node:perf_hooks';

import { later } from '../base/time.js';
import type { BrokerOptions } from '../broker/options.js';
import type { Kernel } from '../kernel/kernel.js';
import { randomHexSource } from './random.js';

/** What a broker takes from the process that it runs in: kernel calls, randomness, clocks and timers. */
export const brokerTools = ({
  dmaBuf,
  pressure,
}: Pick<Kernel, 'dmaBuf' | 'pressure'>): Pick<
  BrokerOptions,
  'dmaBuf' | 'pressure' | 'randomHex' | 'now' | 'later' | 'clock'
> => ({
  dmaBuf,
  pressure,
  randomHex: randomHexSource(),
  now: () => BigInt(Date.now()) * 1000n,
  later,
  clock: () => performance.now(),
});
