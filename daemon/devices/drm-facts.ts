import type { Use } from '../../dbus/names.js';
import { PRIME_IMPORT, type DrmCalls, type DrmCapability, type DrmResources } from '../kernel/drm.js';
import { KernelError } from '../kernel/errors.js';
import { readBusFacts, type BusFacts } from './bus-facts.js';
import type { ReservedMemory } from './device-tree.js';
import { readModes, readModesFromSysfs } from './display-modes.js';
import { readScanoutFormats } from './drm-formats.js';
import { readConnectorPaths, readDrmNodes, type DrmNodes } from './drm-nodes.js';
import { readPitchStep } from './dumb-pitch.js';
import type { Device, Fact, FormatFact, HeapFacts, LimitFact, Mode } from './inventory.js';
import type { KernelFiles } from './sysfs.js';

const SCANOUT: readonly Use[] = ['scanout'];
const GPU: readonly Use[] = ['render', 'texture'];

/** What the DRM devices are, and the heaps that their drivers offer. */
export interface DrmFacts {
  readonly devices: readonly Device[];
  readonly heaps: readonly HeapFacts[];
}

/** What a driver says of a node that could be opened. */
interface DriverFacts {
  readonly driver?: string;
  readonly imports?: Fact<boolean>;
  readonly dumbBuffers: boolean;
  readonly display?: Display;
}

interface Display {
  readonly formats: readonly FormatFact[];
  readonly limits: readonly LimitFact[];
  readonly modes: readonly Mode[];
}

export async function readDrm(
  files: KernelFiles,
  drm: DrmCalls,
  reserved: readonly ReservedMemory[],
): Promise<DrmFacts> {
  const devices: Device[] = [];
  const heaps: HeapFacts[] = [];
  for (const nodes of await readDrmNodes(files)) {
    const bus = await readBusFacts(files, `${nodes.path}/device`, reserved);
    const said = (await askDriver(files, drm, nodes)) ?? (await readWithoutDriver(files, nodes));
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

async function driverFacts(drm: DrmCalls, node: number, isPrimary: boolean): Promise<DriverFacts> {
  const prime = capability(drm, node, 'PRIME');
  const dumbBuffers = isPrimary && (capability(drm, node, 'DUMB_BUFFER') ?? 0n) !== 0n;
  const display = isPrimary ? await readDisplay(drm, node, dumbBuffers) : undefined;
  return {
    driver: drm.version(node).name,
    ...(prime !== undefined && {
      imports: { value: (prime & PRIME_IMPORT) !== 0n, source: 'kernel:DRM_CAP_PRIME' },
    }),
    dumbBuffers,
    ...(display && { display }),
  };
}

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
function frameLimits({ maxWidth, maxHeight }: DrmResources): readonly LimitFact[] {
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
  if (connectors.length === 0) return { dumbBuffers: false };
  const display = { formats: [], limits: [], modes: await readModesFromSysfs(files, path) };
  return { dumbBuffers: false, display };
}

function deviceOf(
  { main, others }: DrmNodes,
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
const dumbHeap = ({ node, driver }: Device): HeapFacts => ({
  id: `drm-dumb:${node}`,
  kind: 'drm-dumb',
  name: driver,
  node,
  class: { value: 'device', source: 'kernel:DRM_CAP_DUMB_BUFFER' },
  cpuAccess: 'uncached',
  usable: true,
});
