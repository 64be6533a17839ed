import type { Verb } from '../verb.js';
import { advise } from './advise.js';
import { allocate } from './allocate.js';
import { allocations } from './allocations.js';
import { completing } from './complete.js';
import { devices } from './devices.js';
import { explain } from './explain.js';
import { join } from './join.js';
import { monitor } from './monitor.js';
import { negotiate } from './negotiate.js';
import { policyCheck } from './policy-check.js';
import { policyShow } from './policy-show.js';
import { policySimulate } from './policy-simulate.js';
import { pools } from './pools.js';
import { record } from './record.js';
import { release } from './release.js';
import { reload } from './reload.js';
import { reveal } from './reveal.js';
import { setLimit } from './set-limit.js';
import { status } from './status.js';
import { top } from './top.js';
import { tryDevices } from './try.js';

/** The one table of verbs: the program, its help and its manual are held to it. */
export const VERBS: readonly Verb[] = [
  status,
  devices,
  pools,
  allocations,
  allocate,
  explain,
  negotiate,
  join,
  release,
  monitor,
  top,
  advise,
  record,
  tryDevices,
  reload,
  setLimit,
  reveal,
  policyShow,
  policyCheck,
  policySimulate,
];

/** The same, and what only scripts use. */
export const ALL_VERBS: readonly Verb[] = [...VERBS, completing(VERBS)];
