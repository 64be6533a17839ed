import type { Use } from '../../dbus/names.js';
import { KernelError } from '../kernel/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import { readBusFacts } from './bus-facts.js';
import type { ReservedMemory } from './device-tree.js';
import { readNumber } from './drm-nodes.js';
import { ownPicture } from './camera-facts.js';
import type { Device, FormatFact, LimitFact, OtherFormatFact, PictureFact } from './inventory.js';
import type { KernelFiles } from './sysfs.js';
import { limitsOfTrials, type Trial } from './v4l2-limits.js';
import { queueFormats, tryQueue } from './v4l2-queue-facts.js';
import { metadataUses, readQueues } from './v4l2-uses.js';

const CLASS = '/sys/class/video4linux';

/** What a driver says of a node that could be opened. */
interface DriverFacts {
  readonly driver?: string;
  readonly card?: string;
  readonly uses: readonly Use[];
  readonly formats: readonly FormatFact[];
  readonly otherFormats: readonly OtherFormatFact[];
  readonly limits: readonly LimitFact[];
  readonly pictures: readonly PictureFact[];
}

/** One device for each video node: what a node does is its own, even where several belong to one piece of hardware. */
export async function readV4l2(
  files: KernelFiles,
  kernel: Pick<Kernel, 'memory' | 'v4l2' | 'camera'>,
  reserved: readonly ReservedMemory[],
): Promise<readonly Device[]> {
  const devices: Device[] = [];
  for (const name of await files.list(CLASS)) {
    if (!/^video\d+$/.test(name)) continue;
    const path = `${CLASS}/${name}`;
    const number = await readNumber(files, path);
    if (number === undefined) continue;
    const node = `/dev/${name}`;
    const bus = await readBusFacts(files, `${path}/device`, reserved);
    const label = await files.text(`${path}/name`);
    const said = await askDriver(files, kernel, node, label);
    const driver = bus.driver ?? said.driver ?? 'unknown';
    devices.push({
      ...bus,
      driver,
      node,
      otherNodes: [],
      number,
      otherNumbers: [],
      subsystem: 'video4linux',
      name: label ?? said.card ?? driver,
      uses: said.uses,
      formats: said.formats,
      ...(said.otherFormats.length > 0 && { otherFormats: said.otherFormats }),
      // One bytesperline for all planes of a buffer.
      limits: [{ limit: 'pitch-linked', value: true, source: 'kernel:v4l2_pix_format' }, ...said.limits],
      modes: [],
      ...(said.pictures.length > 0 && { pictures: said.pictures }),
    });
  }
  return devices;
}

/** Opens the node for no longer than it takes to ask, because an open camera is awake. */
async function askDriver(
  files: KernelFiles,
  { memory, v4l2, camera }: Pick<Kernel, 'memory' | 'v4l2' | 'camera'>,
  path: string,
  label: string | undefined,
): Promise<DriverFacts> {
  try {
    using node = memory.openNode(files.host(path));
    const { driver, card, capabilities } = v4l2.queryCapabilities(node.number);
    const queues = readQueues(v4l2, node.number, capabilities);
    const taken = queues.map(queueFormats);
    const metadata = metadataUses(capabilities);
    const trials: Trial[] = [];
    for (const queue of queues) trials.push(...(await tryQueue(v4l2, node.number, queue)));
    return {
      driver,
      card,
      uses: [...new Set([...queues.map(({ use }) => use), ...metadata])],
      formats: taken.flatMap(({ formats }) => formats),
      otherFormats: [
        ...taken.flatMap(({ otherFormats }) => otherFormats),
        ...metadata.map((use) => ({ name: 'metadata', uses: [use], source: 'kernel:QUERYCAP' })),
      ],
      limits: limitsOfTrials(trials),
      pictures: await ownPicture(camera, node.number, label ?? card, queues),
    };
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    files.warn(path, `the driver cannot be asked: ${error.message}`);
    return { uses: [], formats: [], otherFormats: [], limits: [], pictures: [] };
  }
}
