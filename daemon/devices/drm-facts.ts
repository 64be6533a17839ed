import type { Use } from '../../dbus/names.js';
import {
  PRIME_EXPORT,
  PRIME_IMPORT,
  type DrmCalls,
  type DrmCapability,
  type DrmResources,
} from '../kernel/drm.js';
import { KernelError } from '../kernel/errors.js';
import { readBusFacts, type BusFacts } from './bus-facts.js';
import type { ReservedMemory } from './device-tree.js';
import { readModes, readModesFromSysfs } from './display-modes.js';
import { readScanoutFormats } from './drm-formats.js';
import { readConnectorPaths, readDrmNodes, type DrmNodes } from './drm-nodes.js';
import { readPitchStep } from './dumb-pitch.js';
import type { Device, Fact, FormatFact, HeapFacts, LimitFact, Mode } from './inventory.js';
import { NodeCache } from './node-cache.js';
import type { KernelFiles } from './sysfs.js';

const SCANOUT: readonly Use[] = ['scanout'];
const GPU: readonly Use[] = ['render', 'texture'];

/** What the DRM devices are, and the heaps that their drivers offer. */
export interface DrmFacts {
  readonly devices: readonly Device[];
  readonly heaps: readonly HeapFacts[];
}

/** What a driver says of a node that could be opened. */
export interface DriverFacts {
  /** Whether the driver itself was asked. */
  readonly asked: boolean;
  readonly driver?: string;
  readonly imports?: Fact<boolean>;
  /** Whether it makes dumb buffers that can be passed on. */
  readonly dumbBuffers: boolean;
  readonly display?: Display;
}

interface Display {
  readonly formats: readonly FormatFact[];
  readonly limits: readonly LimitFact[];
  readonly modes: readonly Mode[];
}

/** What is known of a main node. */
export interface DrmNotes {
  readonly bus: BusFacts;
  readonly said: DriverFacts;
}

/** What is known from the last reading, and what is to be asked again. */
export interface DrmReading {
  readonly nodeCache: NodeCache<DrmNotes>;
  /** Whether displays of a primary node may have come or gone since. */
  readonly displaysChanged: (node: string) => boolean;
}

const firstReading = (): DrmReading => ({ nodeCache: new NodeCache(), displaysChanged: () => false });

export async function readDrm(
  files: KernelFiles,
  drm: DrmCalls,
  reserved: readonly ReservedMemory[],
  { nodeCache, displaysChanged }: DrmReading = firstReading(),
): Promise<DrmFacts> {
  const devices: Device[] = [];
  const heaps: HeapFacts[] = [];
  nodeCache.turn();
  for (const nodes of await readDrmNodes(files)) {
    const { node } = nodes.main;
    const known = await nodeCache.look(files, node, async (own) => {
      const bus = await readBusFacts(own, `${nodes.path}/device`, reserved);
      const said = (await askDriver(own, drm, nodes)) ?? (await readWithoutDriver(own, nodes));
      return { facts: { bus, said }, settled: said.asked };
    });
    if (known === undefined) continue;
    const { bus } = known.facts;
    const isStale = !known.isNew && displaysChanged(node);
    const said = isStale ? askModes(files, drm, node, known.facts.said) : known.facts.said;
    if (isStale) nodeCache.amend(node, { bus, said });
    const device = deviceOf(nodes, bus, said);
    devices.push(device);
    if (said.dumbBuffers) heaps.push(dumbHeap(device));
  }
  return { devices, heaps };
}

/** Opens the main node for no longer than it takes to ask; undefined, with a warning, where that does not work. */
async function askDriver(
  files: KernelFiles,
  drm: DrmCalls,
  { main }: DrmNodes,
): Promise<DriverFacts | undefined> {
  try {
    using node = drm.open(files.host(main.node));
    return await driverFacts(drm, node.number, main.kind === 'primary');
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    files.warn(main.node, `the driver cannot be asked: ${error.message}`);
    return undefined;
  }
}

/** Asks a display again, and nothing else. What cannot be asked any more stays as it was: it is going. */
function askModes(files: KernelFiles, drm: DrmCalls, path: string, said: DriverFacts): DriverFacts {
  if (said.display === undefined) return said;
  try {
    using node = drm.open(files.host(path));
    const modes = readModes(drm, node.number, drm.resources(node.number));
    return { ...said, display: { ...said.display, modes } };
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return said;
  }
}

async function driverFacts(drm: DrmCalls, node: number, isPrimary: boolean): Promise<DriverFacts> {
  const prime = capability(drm, node, 'PRIME');
  const dumbBuffers = isPrimary && (capability(drm, node, 'DUMB_BUFFER') ?? 0n) !== 0n;
  const display = isPrimary ? await readDisplay(drm, node, dumbBuffers) : undefined;
  return {
    asked: true,
    driver: drm.version(node).name,
    ...(prime !== undefined && {
      imports: { value: (prime & PRIME_IMPORT) !== 0n, source: 'kernel:DRM_CAP_PRIME' },
    }),
    dumbBuffers: dumbBuffers && exportsBuffers(prime),
    ...(display && { display }),
  };
}

/**
 * Whether a driver's buffers can become dma-bufs. Before Linux 6.6 some drivers have none (DRM_PRIME_CAP_EXPORT, drm.h), as
 * bochs on 6.1: PRIME_HANDLE_TO_FD is ENOSYS there.
 * @param prime what it says to DRM_CAP_PRIME; undefined where it says nothing
 */
export const exportsBuffers = (prime: bigint | undefined): boolean =>
  prime === undefined || (prime & PRIME_EXPORT) !== 0n;

/** Undefined of a GPU without a display. */
async function readDisplay(drm: DrmCalls, node: number, dumbBuffers: boolean): Promise<Display | undefined> {
  const resources = unlessUnsupported(() => drm.resources(node));
  if (resources === undefined || resources.crtcs.length === 0) return undefined;
  drm.showAllPlanes(node);
  return {
    formats: readScanoutFormats(drm, node, resources.crtcs.length),
    limits: [...frameLimits(resources), ...(dumbBuffers ? await readPitchStep(drm, node) : [])],
    modes: readModes(drm, node, resources),
  };
}

/** Largest framebuffers. */
export function frameLimits({
  maxWidth,
  maxHeight,
}: Pick<DrmResources, 'maxWidth' | 'maxHeight'>): readonly LimitFact[] {
  const rest = { source: 'kernel:MODE_GETRESOURCES', uses: SCANOUT };
  return [
    { limit: 'max-width', value: maxWidth, ...rest } as const,
    { limit: 'max-height', value: maxHeight, ...rest } as const,
  ].filter(({ value }) => value > 0);
}

const capability = (drm: DrmCalls, node: number, name: DrmCapability): bigint | undefined =>
  unlessUnsupported(() => drm.capability(node, name));

/** Drivers without a display refuse everything that belongs to one, older kernels with EINVAL. */
function unlessUnsupported<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof KernelError && ['EOPNOTSUPP', 'EINVAL'].includes(error.code)) return undefined;
    throw error;
  }
}

/** What sysfs still shows: a display by its connectors. */
async function readWithoutDriver(files: KernelFiles, { path }: DrmNodes): Promise<DriverFacts> {
  const connectors = await readConnectorPaths(files, path);
  if (connectors.length === 0) return { asked: false, dumbBuffers: false };
  const display = { formats: [], limits: [], modes: await readModesFromSysfs(files, path) };
  return { asked: false, dumbBuffers: false, display };
}

/** The device of a card's nodes: what its bus and its driver say. */
export function deviceOf(
  { main, others }: Pick<DrmNodes, 'main' | 'others'>,
  bus: BusFacts,
  { driver: said, imports, display }: DriverFacts,
): Device {
  const driver = driverName(bus.driver, said);
  const hasRenderNode = [main, ...others].some(({ kind }) => kind === 'render');
  return {
    ...bus,
    driver,
    node: main.node,
    number: main.number,
    otherNodes: others.map(({ node }) => node),
    otherNumbers: others.map(({ number }) => number),
    subsystem: 'drm',
    name: bus.pci === undefined ? (bus.compatible[0] ?? driver) : `${driver} ${bus.pci}`,
    uses: [...(display ? SCANOUT : []), ...(hasRenderNode ? GPU : [])],
    formats: display?.formats ?? [],
    limits: display?.limits ?? [],
    modes: display?.modes ?? [],
    ...(imports && { imports }),
  };
}

/** Drivers in sysfs that only carry a virtio device (virtio_pci.h, virtio_mmio.h): the GPU's own is one directory below. */
const TRANSPORTS: readonly string[] = ['virtio-pci', 'virtio-mmio'];

/** Policy's rules know the driver that sysfs binds to the device, unless it only carries the one that answers for the node. */
function driverName(bound: string | undefined, said: string | undefined): string {
  const carries = bound !== undefined && TRANSPORTS.includes(bound);
  return (carries ? said : undefined) ?? bound ?? said ?? 'unknown';
}

/** Its driver chooses where the memory lies, and most map it write-combined. */
export const dumbHeap = ({ node, driver }: Device): HeapFacts => ({
  id: `drm-dumb:${node}`,
  kind: 'drm-dumb',
  name: driver,
  node,
  class: { value: 'device', source: 'kernel:DRM_CAP_DUMB_BUFFER' },
  cpuAccess: 'uncached',
  usable: true,
});
