import { pixelFormat } from '../../../daemon/constraints/formats.js';
import { pictureOf } from '../../../daemon/broker/picture.js';
import { LINEAR, type PlaneLayout } from '../../../daemon/constraints/constraint-types.js';
import type { Device } from '../../../daemon/devices/inventory.js';
import { failureOf } from '../../../daemon/devices/probes/outcome.js';
import {
  tryOnCard,
  tryOnQueue,
  untried,
  type DecidedImage,
  type Step,
} from '../../../daemon/devices/probes/try-image.js';
import { readQueues, type ImageQueue } from '../../../daemon/devices/v4l2-uses.js';
import type { Heap } from '../../../daemon/heaps/heap.js';
import type { Kernel } from '../../../daemon/kernel/kernel.js';
import { V4L2_CAP } from '../../../daemon/kernel/v4l2.js';
import type { Policy } from '../../../daemon/policy/policy.js';
import type { OwnedFd } from '../../../dbus/owned-fd.js';
import { DmabrokerError } from '../../errors.js';
import type { ImageLayout } from '../../model.js';
import type { OfflineBroker } from '../policy/offline-broker.js';
import { valueText } from '../value-text.js';
import { casesOf, type Case } from './cases.js';
import type { Decided, Trial } from './report.js';

export interface TrialTools {
  readonly broker: OfflineBroker;
  /** Open; borrowed. */
  readonly heaps: readonly Heap[];
  readonly kernel: Pick<Kernel, 'drm' | 'v4l2' | 'memory'>;
  /** Put before every node. */
  readonly root: string;
  readonly policy: Policy;
}

/** Decides each case of a device, and tries what was decided. @throws {KernelError} the node cannot be opened */
export async function tryDevice(device: Device, tools: TrialTools): Promise<readonly Trial[]> {
  const trials: Trial[] = [];
  using target = openTarget(device, tools);
  for (const each of casesOf(device)) trials.push(await tryCase(device, each, target, tools));
  return trials;
}

/** What a buffer is tried on. */
interface Target extends Disposable {
  try(image: DecidedImage, use: Case['use'], dmaBuf: number): Promise<Pick<Trial, 'kernel' | 'takesTight'>>;
}

function openTarget(device: Device, { kernel, root, policy }: TrialTools): Target {
  const { drm, v4l2, memory } = kernel;
  if (device.subsystem === 'drm') {
    const node = drm.open(root + device.node);
    return {
      [Symbol.dispose]: () => {
        node.close();
      },
      try: async (image, use, dmaBuf) => {
        if (use !== 'scanout') return { kernel: (await tryOnCard(drm, node.number, dmaBuf)).steps };
        const explicit = device.formats.some(
          ({ format, source }) => format === image.format && source === 'kernel:IN_FORMATS',
        );
        const { steps, ...more } = await tryOnCard(
          drm,
          node.number,
          dmaBuf,
          { ...image, explicit },
          tightPlanes(image),
        );
        return { kernel: steps, ...more };
      },
    };
  }
  const node = memory.openNode(root + device.node);
  const { capabilities, queues } = askQueues(v4l2, node);
  // A converter gives every process queues of its own; those of a camera are the same for all.
  const isOwn = (capabilities & (V4L2_CAP.VIDEO_M2M | V4L2_CAP.VIDEO_M2M_MPLANE)) !== 0;
  const mayQueue = isOwn || policy.device(device).tryImport?.value === true;
  return {
    [Symbol.dispose]: () => {
      node.close();
    },
    try: async (image, use, dmaBuf) => {
      const queue = queues.find((each: ImageQueue) => each.use === use);
      if (queue === undefined) return { kernel: [untried('TRY_FMT', 'no queue for that')] };
      return { kernel: await tryOnQueue(v4l2, node.number, queue, image, { dmaBuf, mayQueue }) };
    },
  };
}

/** Asks the driver about its queues; closes the node when that fails. @throws {KernelError} */
function askQueues(
  v4l2: Kernel['v4l2'],
  node: OwnedFd,
): { readonly capabilities: number; readonly queues: readonly ImageQueue[] } {
  try {
    const { capabilities } = v4l2.queryCapabilities(node.number);
    return { capabilities, queues: readQueues(v4l2, node.number, capabilities) };
  } catch (error) {
    node.close();
    throw error;
  }
}

/** The image with nothing between its rows; undefined where it is so already, or has several planes. */
function tightPlanes({ format, width, planes }: DecidedImage): readonly PlaneLayout[] | undefined {
  const [plane, ...others] = planes;
  const [shape] = pixelFormat(format)?.planes ?? [];
  if (plane === undefined || shape === undefined || others.length > 0) return undefined;
  const pitch = Math.ceil(width / shape.hsub) * shape.bytes;
  return Number.isInteger(pitch) && pitch < plane.pitch ? [{ ...plane, pitch }] : undefined;
}

async function tryCase(device: Device, each: Case, target: Target, tools: TrialTools): Promise<Trial> {
  const { use, format, width, height } = each;
  const about = { device: device.node, use, format: format.trimEnd(), width, height };
  const decided = await decide(device, each, tools);
  if (!('layout' in decided)) return { ...about, decided, kernel: [] };
  const { layout, heap } = decided;
  const image = { format, width, height, planes: layout.planes, size: layout.size };
  const told: Decided = {
    is: 'layout',
    heap: heap?.id ?? 'unknown',
    planes: layout.planes.map(({ offset, pitch }) => ({ offset: Number(offset), pitch })),
    size: Number(layout.size),
  };
  if (layout.fdSizes !== undefined)
    return {
      ...about,
      decided: told,
      kernel: [untried('allocate', 'each plane has a descriptor of its own')],
    };
  return { ...about, decided: told, ...(await tryLayout(image, use, heap, target)) };
}

async function tryLayout(
  image: DecidedImage,
  use: Case['use'],
  heap: Heap | undefined,
  target: Target,
): Promise<Pick<Trial, 'kernel' | 'takesTight'>> {
  const call = 'allocate';
  if (heap === undefined) return { kernel: [untried(call, 'the heap is not open')] };
  try {
    using buffer = await heap.allocate(
      image.size,
      pictureOf({ size: image.size, image: { ...image, modifier: LINEAR } }),
    );
    return await target.try(image, use, buffer.number);
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return { kernel: [untried(call, failure.message)] as readonly Step[] };
  }
}

async function decide(
  { node }: Device,
  { use, format, width, height }: Case,
  { broker, heaps }: TrialTools,
): Promise<Decided | { readonly layout: ImageLayout; readonly heap: Heap | undefined }> {
  try {
    const { layout, conflicts } = await broker.explain([{ device: node, uses: [use] }], {
      width,
      height,
      format: format.trimEnd(),
    });
    if (layout !== undefined && 'format' in layout) {
      const id = broker.heapOf(layout.pool);
      return { layout, heap: heaps.find((heap) => heap.id === id) };
    }
    const name = (handle: string): string => broker.heapOf(handle);
    const conflict = conflicts.map((info) => `${info.constraint} ${valueText(info, name)} (${info.source})`);
    return { is: 'conflict', conflict };
  } catch (error) {
    if (!(error instanceof DmabrokerError)) throw error;
    return { is: 'refused', code: error.code };
  }
}
