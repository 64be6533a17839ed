import type { Use } from '../../dbus/names.js';
import { KernelError } from '../kernel/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import { readBusFacts, type BusFacts } from './bus-facts.js';
import type { ReservedMemory } from './device-tree.js';
import { readNumber } from './drm-nodes.js';
import { ownPicture } from './camera-facts.js';
import type { Device, FormatFact, LimitFact, OtherFormatFact, PictureFact } from './inventory.js';
import { NodeCache } from './node-cache.js';
import type { KernelFiles } from './sysfs.js';
import { limitsOfProbes, type FormatProbe } from './v4l2-limits.js';
import { planePlaces, queueFormats, tryQueue } from './v4l2-queue-facts.js';
import { metadataUses, readQueues } from './v4l2-uses.js';

const CLASS = '/sys/class/video4linux';

/** What a driver says of a node that could be opened. */
export interface DriverFacts {
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
  nodeCache = new NodeCache<Device>(),
): Promise<readonly Device[]> {
  const devices: Device[] = [];
  nodeCache.turn();
  for (const name of await files.list(CLASS)) {
    if (!/^video\d+$/.test(name)) continue;
    const path = `${CLASS}/${name}`;
    const number = await readNumber(files, path);
    if (number === undefined) continue;
    const node = `/dev/${name}`;
    const known = await nodeCache.look(files, node, async (own) => {
      const bus = await readBusFacts(own, `${path}/device`, reserved);
      const title = await own.text(`${path}/name`);
      const said = await askDriver(own, kernel, node, title);
      const device = videoDevice({ node, number }, bus, said ?? UNASKED, title);
      return { facts: device, settled: said !== undefined };
    });
    if (known !== undefined) devices.push(known.facts);
  }
  return devices;
}

/** The device of a video node: what its bus and its driver say. */
export function videoDevice(
  { node, number }: Pick<Device, 'node' | 'number'>,
  bus: BusFacts,
  said: DriverFacts,
  title: string | undefined,
): Device {
  const driver = bus.driver ?? said.driver ?? 'unknown';
  return {
    ...bus,
    driver,
    node,
    otherNodes: [],
    number,
    otherNumbers: [],
    subsystem: 'video4linux',
    name: title ?? said.card ?? driver,
    uses: said.uses,
    formats: said.formats,
    ...(said.otherFormats.length > 0 && { otherFormats: said.otherFormats }),
    // One bytesperline for all planes of a buffer.
    limits: [{ limit: 'pitch-linked', value: true, source: 'kernel:v4l2_pix_format' }, ...said.limits],
    modes: [],
    ...(said.pictures.length > 0 && { pictures: said.pictures }),
  };
}

/** What is known of a node that cannot be opened. */
export const UNASKED: DriverFacts = { uses: [], formats: [], otherFormats: [], limits: [], pictures: [] };

/** Opens the node for no longer than it takes to ask, because an open camera is awake; undefined, with a warning, where that does not work. */
async function askDriver(
  files: KernelFiles,
  { memory, v4l2, camera }: Pick<Kernel, 'memory' | 'v4l2' | 'camera'>,
  path: string,
  label: string | undefined,
): Promise<DriverFacts | undefined> {
  try {
    using node = memory.openNode(files.host(path));
    const { driver, card, capabilities } = v4l2.queryCapabilities(node.number);
    const queues = readQueues(v4l2, node.number, capabilities);
    const taken = queues.map(queueFormats);
    const metadata = metadataUses(capabilities);
    const probes: FormatProbe[] = [];
    for (const queue of queues) probes.push(...(await tryQueue(v4l2, node.number, queue)));
    return {
      driver,
      card,
      uses: [...new Set([...queues.map(({ use }) => use), ...metadata])],
      formats: taken.flatMap(({ formats }) => formats),
      otherFormats: [
        ...taken.flatMap(({ otherFormats }) => otherFormats),
        ...metadata.map((use) => ({ name: 'metadata', uses: [use], source: 'kernel:QUERYCAP' })),
      ],
      limits: [...limitsOfProbes(probes), ...queues.flatMap(planePlaces)],
      pictures: await ownPicture(camera, node.number, label ?? card, queues),
    };
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    files.warn(path, `the driver cannot be asked: ${error.message}`);
    return undefined;
  }
}
