import { readReservedMemory } from '../device-tree.js';
import type { HeapEvidence } from '../heap-class.js';
import { readCmaRegions } from '../heap-facts.js';
import { CPU_DEVICE, MEMFD_HEAP, type Device, type Inventory, type Machine } from '../inventory.js';
import { readMachine } from '../machine-facts.js';
import { readMeminfo, readMemory } from '../memory-facts.js';
import type { KernelFiles } from '../sysfs.js';
import { readDrmInfo } from './drm-info.js';
import { cardsOf } from './dumped-cards.js';
import { heapsOf, STAND_IN_HEAPS } from './dumped-heaps.js';
import { videosOf } from './dumped-videos.js';
import { DUMP_LIMITS, DumpError, type CardDump, type DumpText, type VideoDump } from './dump-types.js';
import { isListing, ListedFiles, readListings } from './listed-files.js';
import { isModetest, readModetest } from './modetest.js';
import { isUnknown, standIn } from './unknown.js';
import { isV4l2Ctl, readV4l2Ctl } from './v4l2-ctl.js';

/** What dumps made. */
export interface DumpedMachine {
  /** Its warnings say what is not known. */
  readonly inventory: Inventory;
  /** Each dump with the tools that wrote it: `drm_info --json (card.json)`. */
  readonly from: readonly string[];
}

/**
 * The machine that dumps of it describe: `drm_info --json`, `modetest`, `v4l2-ctl --all --list-formats-ext`, and `grep -s .`
 * over files of /sys and /proc, in any number of files; a text may hold several of them. What no dump says stays unknown.
 * @throws {DumpError} a file that is none of these, or is malformed
 */
export async function inventoryFromDumps(dumps: readonly DumpText[]): Promise<DumpedMachine> {
  if (dumps.length > DUMP_LIMITS.files) throw new DumpError(`more than ${DUMP_LIMITS.files} files`);
  const read = dumps.map(readDump);
  const warnings: string[] = [];
  const listings = read.filter(({ isListed }) => isListed).map(({ dump }) => dump);
  const files = new ListedFiles(readListings(listings), (text) => warnings.push(text));
  const cards = read.flatMap((each) => each.cards);
  const videos = read.flatMap((each) => each.videos);
  const machine = await machineOf(files, [...cards, ...videos]);
  const evidence = await evidenceOf(files, machine.pageSize);
  const drm = await cardsOf(files, evidence.reserved, cards);
  const heaps = await heapsOf(files, evidence);
  const devices = [...drm.devices, ...(await videosOf(files, evidence.reserved, videos))];
  const inventory = {
    machine: machine.facts,
    devices: [CPU_DEVICE, ...devices],
    heaps: [...(heaps ?? STAND_IN_HEAPS), ...drm.heaps, MEMFD_HEAP],
    reach: [],
  };
  return {
    inventory: { ...inventory, warnings: [...warnings, ...unknownOf(inventory, heaps === undefined)] },
    from: read.map(({ dump, tools }) => `${tools.join(', ')} (${dump.name})`),
  };
}

interface ReadDump {
  readonly dump: DumpText;
  readonly tools: readonly string[];
  readonly cards: readonly CardDump[];
  readonly videos: readonly VideoDump[];
  readonly isListed: boolean;
}

function readDump(dump: DumpText): ReadDump {
  const { name, text } = dump;
  if (Buffer.byteLength(text) > DUMP_LIMITS.fileBytes)
    throw new DumpError(`${name}: is larger than ${DUMP_LIMITS.fileBytes} bytes`);
  if (text.trimStart().startsWith('{'))
    return {
      dump,
      tools: ['drm_info --json'],
      cards: readDrmInfo(dump),
      videos: [],
      isListed: false,
    };
  const [isCard, isVideo, isListed] = [isModetest(text), isV4l2Ctl(text), isListing(text)];
  if (!isCard && !isVideo && !isListed)
    throw new DumpError(
      `${name}:1: is none of drm_info --json, modetest, v4l2-ctl --all --list-formats-ext, grep -s . over files of /sys`,
    );
  const videos = isVideo ? readV4l2Ctl(dump) : [];
  return {
    dump,
    tools: [
      ...(isCard ? ['modetest'] : []),
      ...(isVideo ? ['v4l2-ctl'] : []),
      ...(isListed ? ['grep over /sys'] : []),
    ],
    cards: isCard ? [inFile(readModetest(dump), /card\d{1,3}/.exec(name)?.[0], '/dev/dri/')] : [],
    videos:
      videos.length === 1
        ? videos.map((video) => inFile(video, /video\d{1,3}/.exec(name)?.[0], '/dev/'))
        : videos,
    isListed,
  };
}

/** A dump of one node may say by the file's name which: `card1.txt`, `v4l2-video2.log`. */
const inFile = <T extends { readonly node?: string }>(
  dump: T,
  node: string | undefined,
  directory: string,
): T => (dump.node === undefined && node !== undefined ? { ...dump, node: `${directory}${node}` } : dump);

async function machineOf(
  files: KernelFiles,
  dumps: readonly { readonly kernel?: string }[],
): Promise<{ readonly facts: Machine; readonly pageSize: bigint }> {
  const hasMeminfo = await files.exists('/proc/meminfo');
  const quiet = hasMeminfo ? files : files.warning(() => undefined);
  const memory = await readMemory(quiet, () => Promise.reject(new Error('not this machine')), false);
  const facts = await readMachine(files, memory);
  const kernel = dumps.find((dump) => dump.kernel !== undefined)?.kernel;
  return {
    facts: {
      ...facts,
      kernel: facts.kernel === 'unknown' ? (kernel ?? facts.kernel) : facts.kernel,
      // 0 is how a size that is not known is said: policy's shares of it are not either, and addresses may have any bit.
      ...(!hasMeminfo && { ram: standIn(0n), ramTop: standIn(0n) }),
    },
    pageSize: memory.pageSize,
  };
}

const evidenceOf = async (files: KernelFiles, pageSize: bigint): Promise<HeapEvidence> => ({
  reserved: await readReservedMemory(files),
  regions: await readCmaRegions(files, pageSize),
  cmaTotal: (await readMeminfo(files)).get('CmaTotal') ?? 0n,
});

/** What a person should know of an answer that is made from this. */
function unknownOf(
  { machine, devices }: Pick<Inventory, 'machine' | 'devices'>,
  heapsStandIn: boolean,
): readonly string[] {
  const real = devices.filter(({ subsystem }) => subsystem !== 'cpu');
  const where = (isSo: (device: Device) => boolean): string =>
    real
      .filter(isSo)
      .map(({ node }) => node)
      .join(', ');
  const noIommu = where(({ iommu }) => isUnknown(iommu));
  const noFormats = where(({ formats, otherFormats = [] }) => formats.length + otherFormats.length === 0);
  const noPitch = where(({ limits }) => !limits.some(({ limit }) => /^pitch-(multiple|exact)$/.test(limit)));
  return [
    ...(isUnknown(machine.ram)
      ? ['unknown: how much RAM there is; limits that are shares of it mean nothing']
      : []),
    ...(heapsStandIn
      ? ['unknown: which heaps there are; one of scattered and one of contiguous memory stand in']
      : []),
    ...(noIommu === '' ? [] : [`unknown: the IOMMU of ${noIommu}; taken as none`]),
    ...(noFormats === '' ? [] : [`unknown: the formats of ${noFormats}; any counts as taken, linear`]),
    ...(noPitch === ''
      ? []
      : [`unknown: the pitches that the drivers of ${noPitch} take; policy's rules alone count`]),
  ];
}
