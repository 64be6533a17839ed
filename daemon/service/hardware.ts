import { readFile } from 'node:fs/promises';

import type { MachineState } from '../broker/options.js';
import { readPageSize } from '../devices/memory-facts.js';
import { provenanceWarnings } from '../devices/provenance.js';
import { KernelFiles } from '../devices/sysfs.js';
import { FileProbeStore } from '../devices/probes/file-store.js';
import type { WarningLog } from '../base/log.js';
import { probe } from '../devices/probes/probe.js';
import { CachingStore } from '../devices/probes/probe-record.js';
import { ANYTHING } from '../devices/watch/change.js';
import { watchDevices } from '../devices/watch/watch-devices.js';
import { Follower, type FollowOptions } from './follower.js';
import { profileHeap, type OpenedHeaps } from '../heaps/open.js';
import type { Kernel } from '../kernel/kernel.js';
import { LiveMachine, type TryOut } from './live-machine.js';
import type { Policy } from '../policy/policy.js';
import type { Later } from '../base/time.js';

/** What the broker works with: what is known of the machine, and its heaps, open. */
export interface Hardware extends MachineState {
  /** Heaps that could not be opened, and why; for the log, because no client learns of a heap. */
  readonly refused: OpenedHeaps['refused'];
  /** Has whatever the machine becomes taken over, until it is disposed. Nothing becomes of a recorded profile. */
  follow(options: FollowerOptions): Disposable;
}

export interface FollowerOptions extends Pick<FollowOptions, 'adopt' | 'policy' | 'log'> {
  readonly later: Later;
}

export interface HardwareOptions {
  readonly kernel: Kernel;
  /** Put before every path that is read; empty for the machine itself. */
  readonly root: string;
  /** File with a recorded profile that stands in for the machine. */
  readonly profile: string | undefined;
  /** Says what may be tried. */
  readonly policy: Policy;
  /** Where it is kept what trials showed; nowhere when absent. */
  readonly stateDir?: string | undefined;
  readonly log: WarningLog;
}

/** @throws {Error} a profile that cannot be read or used */
export async function openHardware(options: HardwareOptions): Promise<Hardware> {
  const { kernel, profile } = options;
  // Of the running kernel, whatever the root: its pages are what memory is made of.
  const pageSize = await readPageSize(new KernelFiles('', () => undefined));
  if (profile === undefined) return openMachine(options, pageSize);
  // Its schema's library has three hundred modules, which would be most of what a start without a profile loads.
  const { inventoryFromProfile } = await import('../devices/profile/read.js');
  const { inventory, provenance } = inventoryFromProfile(await readFile(profile, 'utf8'), profile);
  const heaps = inventory.heaps.map((heap) => profileHeap(heap, { kernel, pageSize }));
  return {
    inventory,
    heaps,
    warnings: provenanceWarnings(provenance),
    refused: [],
    follow: () => ({ [Symbol.dispose]: () => undefined }),
  };
}

async function openMachine(options: HardwareOptions, pageSize: bigint): Promise<Hardware> {
  const { kernel, root } = options;
  const machine = new LiveMachine({ kernel, root, pageSize, tryOut: probesOf(options) });
  const { state, refused } = await machine.look(ANYTHING, options.policy);
  return {
    ...state,
    refused,
    follow: ({ later, ...following }) =>
      new Follower({
        ...following,
        machine,
        first: { ...state, refused },
        watch: (changed) =>
          watchDevices({ root, uevents: kernel.uevents, later, log: following.log, changed }),
      }),
  };
}

function probesOf({ kernel, root, stateDir, log }: HardwareOptions): TryOut {
  const store = new CachingStore(stateDir === undefined ? undefined : new FileProbeStore(stateDir, log));
  return (inventory, heaps, policy, only) => {
    const forbidden = new Set(
      inventory.heaps.filter((facts) => policy.heap(facts).use?.value === false).map(({ id }) => id),
    );
    return probe(inventory, {
      kernel,
      root,
      log,
      store,
      heaps: heaps.filter(({ id }) => !forbidden.has(id)),
      rules: (device) => policy.device(device),
      ...(only !== undefined && { only }),
    });
  };
}
