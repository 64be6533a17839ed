import { V4L2_CAP, type V4l2Queue } from '../../kernel/v4l2.js';
import type { BusFacts } from '../bus-facts.js';
import { ownPicture } from '../camera-facts.js';
import type { ReservedMemory } from '../device-tree.js';
import { readNumber } from '../drm-nodes.js';
import type { Device, LimitFact } from '../inventory.js';
import type { KernelFiles } from '../sysfs.js';
import { UNASKED, videoDevice, type DriverFacts } from '../v4l2-facts.js';
import { findV4l2Format } from '../v4l2-formats.js';
import { planePlaces, queueFormats } from '../v4l2-queue-facts.js';
import { metadataUses, readQueues, type ImageQueue } from '../v4l2-uses.js';
import { listedBus } from './dumped-cards.js';
import { DUMP_LIMITS, type FormatDump, type VideoDump } from './dump-types.js';
import { matchDumps } from './match-dumps.js';
import { standIn } from './unknown.js';

/** The kernel's major number of video4linux. */
const MAJOR = 81;
const CLASS = '/sys/class/video4linux';

interface ListedVideo extends Pick<Device, 'node' | 'number'> {
  readonly bus: BusFacts;
  readonly title: string | undefined;
}

/** The video nodes of the dumps: those that /sys lists, with what v4l2-ctl says of them, then those that it alone knows. */
export async function videosOf(
  files: KernelFiles,
  reserved: readonly ReservedMemory[],
  dumps: readonly VideoDump[],
): Promise<readonly Device[]> {
  const listed = await readListed(files, reserved);
  const matched = matchDumps(listed, dumps, isOf);
  const taken = new Set(listed.map(({ node }) => node));
  const videos = [
    ...listed.map((video) => ({ video, dump: matched.of.get(video) })),
    ...matched.others.map((dump) => ({ video: named(dump, taken), dump })),
  ];
  return Promise.all(
    videos.map(async ({ video, dump }) => {
      const facts = dump === undefined ? UNASKED : await factsOf(dump);
      return videoDevice(video, video.bus, facts, video.title);
    }),
  );
}

async function readListed(
  files: KernelFiles,
  reserved: readonly ReservedMemory[],
): Promise<readonly ListedVideo[]> {
  const videos: ListedVideo[] = [];
  for (const name of (await files.list(CLASS)).slice(0, DUMP_LIMITS.videos)) {
    if (!/^video\d+$/.test(name)) continue;
    const path = `${CLASS}/${name}`;
    const number = await readNumber(files, path);
    if (number === undefined) continue;
    const bus = await listedBus(files, `${path}/device`, reserved);
    videos.push({ node: `/dev/${name}`, number, bus, title: await files.text(`${path}/name`) });
  }
  return videos;
}

/** By the node or, of a dump that names none, by the card's name. */
const isOf = ({ node, card }: VideoDump, video: ListedVideo): boolean =>
  node === undefined ? card === video.title : node === video.node;

function named({ node, driver, card }: VideoDump, taken: Set<string>): ListedVideo {
  let minor = node === undefined ? 0 : Number(/\d+$/.exec(node)?.[0] ?? 0);
  while (taken.has(`/dev/video${minor}`)) minor++;
  taken.add(`/dev/video${minor}`);
  const bus = { driver, compatible: [], iommu: standIn('unknown') };
  return { node: `/dev/video${minor}`, number: `${MAJOR}:${minor}`, bus, title: card };
}

async function factsOf(dump: VideoDump): Promise<DriverFacts> {
  const { driver, card, capabilities, queues } = dump;
  const calls = { formats: (_: number, queue: V4l2Queue) => queues.get(queue) ?? [] };
  const images = isHalfListed(dump) ? halfListed(dump) : readQueues(calls, 0, capabilities);
  // What a queue takes that the dump does not list is not known, which is not the same as nothing.
  const listed = images.filter(({ queue }) => queues.has(queue));
  const taken = listed.map(queueFormats);
  const metadata = metadataUses(capabilities);
  const sizes = {
    frameSizes: (_: number, fourcc: string) =>
      Promise.resolve(listed.flatMap((queue) => formatIn(queue, fourcc)?.sizes ?? [])),
  };
  return {
    driver,
    card,
    uses: [...new Set([...images.map(({ use }) => use), ...metadata])],
    formats: taken.flatMap(({ formats }) => formats),
    otherFormats: taken.flatMap(({ otherFormats }) => otherFormats),
    limits: [...listed.flatMap(limitsOf), ...listed.flatMap(planePlaces)],
    pictures: await ownPicture(sizes, 0, card, listed),
  };
}

const formatIn = ({ formats }: ImageQueue, fourcc: string): FormatDump | undefined =>
  (formats as readonly FormatDump[]).find((format) => format.fourcc === fourcc);

const M2M = V4L2_CAP.VIDEO_M2M | V4L2_CAP.VIDEO_M2M_MPLANE;

/** `--list-formats-ext` lists one of the two queues of a codec or converter: that of what comes out. */
const isHalfListed = ({ capabilities, queues }: VideoDump): boolean =>
  (capabilities & M2M) !== 0 && !(queues.has('output') || queues.has('output-mplane'));

/** What a device of two queues does, by what comes out of it and by the format that goes in at the moment. */
function halfListed({ capabilities, queues, outputFormat }: VideoDump): readonly ImageQueue[] {
  const isPlanar = (capabilities & V4L2_CAP.VIDEO_M2M_MPLANE) !== 0;
  const [capture, output] = isPlanar
    ? (['capture-mplane', 'output-mplane'] as const)
    : (['capture', 'output'] as const);
  const made = queues.get(capture) ?? [];
  const images = made.filter(({ fourcc, compressed }) => !compressed || findV4l2Format(fourcc) !== undefined);
  if (made.length > 0 && images.length === 0) return [{ use: 'encode', queue: output, formats: [] }];
  const converts = outputFormat !== undefined && findV4l2Format(outputFormat) !== undefined;
  if (!converts) return [{ use: 'decode', queue: capture, formats: images }];
  return [
    { use: 'output', queue: output, formats: [] },
    { use: 'capture', queue: capture, formats: made },
  ];
}

/** The largest images of formats with a range of sizes. What a decoder makes is as large as its stream says. */
function limitsOf(queue: ImageQueue): readonly LimitFact[] {
  if (queue.use === 'decode') return [];
  return queue.formats.flatMap(({ fourcc }) => {
    const largest = formatIn(queue, fourcc)?.largest;
    const format = findV4l2Format(fourcc)?.drm;
    if (largest === undefined || format === undefined || largest.width === 0 || largest.height === 0)
      return [];
    const rest = { source: 'kernel:ENUM_FRAMESIZES', uses: [queue.use], formats: [format] };
    return [
      { limit: 'max-width', value: largest.width, ...rest },
      { limit: 'max-height', value: largest.height, ...rest },
    ] as const;
  });
}
