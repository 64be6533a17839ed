import type { Heap } from '../../heaps/heap.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { DeviceRules } from '../../policy/policy.js';
import type { Device } from '../inventory.js';
import { tryOnDrm } from './drm-probe.js';
import { framesFor } from './frames.js';
import type { WarningLog } from '../../base/log.js';
import { failureOf } from './outcome.js';
import type { ProbeBuffer, ProbeBuffers } from './probe-buffers.js';
import { tryOnV4l2 } from './v4l2-import-probe.js';
import type { ProbeResults } from './result.js';

export interface ReachProbes {
  readonly kernel: Pick<Kernel, 'memory' | 'drm' | 'v4l2'>;
  /** Put before every node. */
  readonly root: string;
  readonly buffers: ProbeBuffers;
  readonly log: WarningLog | undefined;
}

/**
 * Whether a device may be tried: importing into a DRM node without being its master disturbs nothing, but a V4L2 device
 * wakes up and its queues are taken, so that policy has to say it.
 */
export const mayBeTried = ({ subsystem }: Device, { tryImport }: DeviceRules): boolean =>
  subsystem === 'drm' || (subsystem === 'video4linux' && tryImport?.value === true);

/**
 * Tries heaps on one device, in one go, its node open no longer than that.
 * @returns results by heap id; a probe that failed is missing, and logged
 */
export async function tryDevice(
  device: Device,
  rules: DeviceRules,
  heaps: readonly Heap[],
  tools: ReachProbes,
): Promise<ReadonlyMap<string, ProbeResults>> {
  const { node, subsystem } = device;
  try {
    const results =
      subsystem === 'drm'
        ? await onDrm(device, rules, heaps, tools)
        : await onV4l2(tools.root + node, heaps, tools);
    for (const [heap, { inconclusive }] of results)
      if (inconclusive !== undefined) tell(tools, node, heap, inconclusive);
    return results;
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    tools.log?.warn(
      { event: 'device-untried', device: node, why: failure.message },
      `${node} cannot be probed`,
    );
    return new Map();
  }
}

const tell = ({ log }: ReachProbes, device: string, heap: string, why: string): void =>
  log?.warn(
    { event: 'reach-unknown', device, heap, why },
    `it is not known whether ${device} reaches heap ${heap}`,
  );

async function onDrm(
  device: Device,
  rules: DeviceRules,
  heaps: readonly Heap[],
  tools: ReachProbes,
): Promise<ReadonlyMap<string, ProbeResults>> {
  const probes: ProbeBuffer[] = [];
  for (const heap of heaps) {
    const probe = await tools.buffers.of(heap);
    if ('lacks' in probe) tell(tools, device.node, heap.id, probe.lacks);
    else probes.push(probe);
  }
  if (probes.length === 0) return new Map();
  const { drm } = tools.kernel;
  using node = drm.open(tools.root + device.node);
  return await tryOnDrm(drm, node.number, probes, framesFor(device, rules));
}

async function onV4l2(
  path: string,
  heaps: readonly Heap[],
  { kernel: { memory, v4l2 }, buffers }: ReachProbes,
): Promise<ReadonlyMap<string, ProbeResults>> {
  using node = memory.openNode(path);
  return await tryOnV4l2(v4l2, node.number, heaps, buffers);
}
