import type { Heap } from '../../heaps/heap.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { DeviceRules } from '../../policy/policy.js';
import type { Device } from '../inventory.js';
import { tryOnDrm } from './drm-trial.js';
import { framesFor } from './frames.js';
import type { WarningLog } from '../../messages/log.js';
import { failureOf } from './outcome.js';
import type { ProbeBuffer, ProbeBuffers } from './probe-buffers.js';
import { tryOnV4l2 } from './v4l2-import-trial.js';
import type { Learned } from './verdict.js';

export interface ReachTrials {
  readonly kernel: Pick<Kernel, 'memory' | 'drm' | 'v4l2'>;
  /** Put before every node. */
  readonly root: string;
  readonly buffers: ProbeBuffers;
  readonly log: WarningLog | undefined;
}

/**
 * Whether a device may be tried: importing into a DRM node that nobody is master of disturbs nobody, but a V4L2 device
 * wakes up and its queues are taken, so that policy has to say it.
 */
export const mayBeTried = ({ subsystem }: Device, { tryImport }: DeviceRules): boolean =>
  subsystem === 'drm' || (subsystem === 'video4linux' && tryImport?.value === true);

/**
 * Tries heaps on one device, in one go, its node open no longer than that.
 * @returns what was learned, by heap id; what failed is missing, and said in the log
 */
export async function tryDevice(
  device: Device,
  rules: DeviceRules,
  heaps: readonly Heap[],
  trials: ReachTrials,
): Promise<ReadonlyMap<string, Learned>> {
  const { node, subsystem } = device;
  try {
    const learned =
      subsystem === 'drm'
        ? await onDrm(device, rules, heaps, trials)
        : await onV4l2(trials.root + node, heaps, trials);
    for (const [heap, { unclear }] of learned) if (unclear !== undefined) tell(trials, node, heap, unclear);
    return learned;
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    trials.log?.warn(
      { event: 'device-untried', device: node, why: failure.message },
      `${node} cannot be tried`,
    );
    return new Map();
  }
}

const tell = ({ log }: ReachTrials, device: string, heap: string, why: string): void =>
  log?.warn(
    { event: 'reach-unknown', device, heap, why },
    `whether ${device} reaches heap ${heap} is not known`,
  );

async function onDrm(
  device: Device,
  rules: DeviceRules,
  heaps: readonly Heap[],
  trials: ReachTrials,
): Promise<ReadonlyMap<string, Learned>> {
  const probes: ProbeBuffer[] = [];
  for (const heap of heaps) {
    const probe = await trials.buffers.of(heap);
    if ('lacks' in probe) tell(trials, device.node, heap.id, probe.lacks);
    else probes.push(probe);
  }
  if (probes.length === 0) return new Map();
  const { drm } = trials.kernel;
  using node = drm.open(trials.root + device.node);
  return await tryOnDrm(drm, node.number, probes, framesFor(device, rules));
}

async function onV4l2(
  path: string,
  heaps: readonly Heap[],
  { kernel: { memory, v4l2 }, buffers }: ReachTrials,
): Promise<ReadonlyMap<string, Learned>> {
  using node = memory.openNode(path);
  return await tryOnV4l2(v4l2, node.number, heaps, buffers);
}
