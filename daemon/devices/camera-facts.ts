import type { CameraCalls, FrameSize, SensorPicture } from '../kernel/camera.js';
import { MEDIA_ENT_F_CAM_SENSOR, MEDIA_ENT_F_IO_V4L } from '../kernel/camera-structs.js';
import { KernelError } from '../kernel/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import { pixelFormat } from '../constraints/formats.js';
import { pixelInMemory } from './bus-formats.js';
import type { Device, PictureFact } from './inventory.js';
import { NodeCache, type NodeResult } from './node-cache.js';
import type { KernelFiles } from './sysfs.js';
import { findV4l2Format } from './v4l2-formats.js';
import type { ImageQueue } from './v4l2-uses.js';

/** A sensor as its media device has it. */
interface Sensor {
  readonly name: string;
  readonly pictures: readonly SensorPicture[];
}

/** The sensors of one media device, and the numbers of the video nodes that their pictures may come out of. */
export interface SensorGroup {
  readonly sensors: readonly Sensor[];
  readonly video: readonly string[];
}

/**
 * What is known of media devices, and of which nodes of their parts: a media device is there before the last of its
 * sensors is, so that it is asked again when there are others.
 */
export class SensorNotes {
  readonly nodeCache = new NodeCache<SensorGroup>();
  #subdevices = '';

  /** @returns whether there are other nodes than at the last reading */
  see(subdevices: readonly string[]): boolean {
    const before = this.#subdevices;
    this.#subdevices = subdevices.join();
    return this.#subdevices !== before;
  }
}

/** Asks every media device for its sensors. What cannot be asked is a warning. */
export async function readSensors(
  files: KernelFiles,
  kernel: Pick<Kernel, 'memory' | 'camera'>,
  notes = new SensorNotes(),
): Promise<readonly SensorGroup[]> {
  const groups: SensorGroup[] = [];
  const nodes = await files.list('/dev');
  const { nodeCache } = notes;
  if (notes.see(nodes.filter((name) => /^v4l-subdev\d+$/.test(name)))) nodeCache.forget();
  nodeCache.turn();
  for (const name of nodes) {
    if (!/^media\d+$/.test(name)) continue;
    const known = await nodeCache.look(files, `/dev/${name}`, (own) =>
      readGroup(own, kernel, `/dev/${name}`),
    );
    if (known !== undefined) groups.push(known.facts);
  }
  return groups;
}

async function readGroup(
  files: KernelFiles,
  kernel: Pick<Kernel, 'memory' | 'camera'>,
  path: string,
): Promise<NodeResult<SensorGroup>> {
  const entities = await ask(files, kernel, path, (camera, node) => camera.entities(node));
  const sensors: Sensor[] = [];
  let settled = entities !== undefined;
  for (const { name, type, number } of entities ?? []) {
    if (type !== MEDIA_ENT_F_CAM_SENSOR) continue;
    const subdevice = await files.linkName(`/sys/dev/char/${number}`);
    if (subdevice === undefined) continue;
    const node = `/dev/${subdevice}`;
    const pictures = await ask(files, kernel, node, (camera, sensor) => camera.sensorPictures(sensor));
    settled &&= pictures !== undefined;
    sensors.push({ name, pictures: pictures ?? [] });
  }
  const video = (entities ?? []).filter(({ type }) => type === MEDIA_ENT_F_IO_V4L);
  return { facts: { sensors, video: video.map(({ number }) => number) }, settled };
}

async function ask<T>(
  files: KernelFiles,
  { memory, camera }: Pick<Kernel, 'memory' | 'camera'>,
  path: string,
  question: (camera: CameraCalls, node: number) => Promise<readonly T[]>,
): Promise<readonly T[] | undefined> {
  try {
    using node = memory.openNode(files.host(path));
    return await question(camera, node.number);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    files.warn(path, `cannot be asked for cameras: ${error.message}`);
    return undefined;
  }
}

/**
 * The devices with the pictures of their cameras: those of a sensor belong to the first node of its media device that
 * captures images, because which links a program will set up is not known before.
 */
export function withSensors(devices: readonly Device[], groups: readonly SensorGroup[]): readonly Device[] {
  const byDevice = new Map<Device, readonly Sensor[]>();
  for (const { sensors, video } of groups) {
    const receiver = devices.find((device) => video.includes(device.number) && capturesImages(device));
    if (receiver !== undefined) byDevice.set(receiver, [...(byDevice.get(receiver) ?? []), ...sensors]);
  }
  return devices.map((device) => {
    const pictures = (byDevice.get(device) ?? []).flatMap((sensor) => largestPicture(sensor, device));
    return pictures.length === 0 ? device : { ...device, pictures };
  });
}

const capturesImages = ({ formats, otherFormats = [] }: Device): boolean =>
  [...formats, ...otherFormats.filter(({ name }) => name !== 'metadata')].some(({ uses }) =>
    uses.includes('capture'),
  );

function largestPicture(
  { name, pictures }: Sensor,
  { formats, otherFormats = [] }: Device,
): readonly PictureFact[] {
  const names = [...formats.map(({ format }) => format), ...otherFormats.map((format) => format.name)];
  const inMemory = pictures.flatMap(({ code, width, height }) => {
    const pixel = pixelInMemory(code, names);
    return pixel === undefined || !isSize({ width, height }) ? [] : [{ width, height, ...pixel }];
  });
  return largest(inMemory).map((picture) => ({
    camera: name,
    ...picture,
    source: 'kernel:SUBDEV_ENUM_FRAME_SIZE',
  }));
}

/** The largest picture of a node that has single sizes, as cameras on USB have: it is the camera's own. */
export async function ownPicture(
  camera: Pick<CameraCalls, 'frameSizes'>,
  node: number,
  name: string,
  queues: readonly ImageQueue[],
): Promise<readonly PictureFact[]> {
  const pictures: (FrameSize & { readonly format: string; readonly bits: number })[] = [];
  for (const { use, formats } of queues) {
    if (use !== 'capture' || queues.length > 1) continue;
    for (const { fourcc } of formats) {
      const pixel = pixelFormat(findV4l2Format(fourcc)?.drm ?? '');
      if (pixel === undefined) continue;
      const bits = pixel.planes.reduce((sum, { bytes, hsub, vsub }) => sum + (8 * bytes) / hsub / vsub, 0);
      const sizes = (await camera.frameSizes(node, fourcc)).filter(isSize);
      pictures.push(...sizes.map((size) => ({ ...size, format: fourcc.trim(), bits: Math.ceil(bits) })));
    }
  }
  return largest(pictures).map((picture) => ({ camera: name, ...picture, source: 'kernel:ENUM_FRAMESIZES' }));
}

/** More pixels on a side than this is no picture, but a driver that has gone astray. */
const MAX_SIDE_PIXELS = 65_535;

const isSize = ({ width, height }: FrameSize): boolean =>
  width > 0 && height > 0 && width <= MAX_SIDE_PIXELS && height <= MAX_SIDE_PIXELS;

/** The one with the most pixels and, of several, the most bits; none of none. */
function largest<P extends FrameSize & { readonly bits: number }>(pictures: readonly P[]): readonly P[] {
  const [first] = pictures.toSorted((a, b) => b.width * b.height - a.width * a.height || b.bits - a.bits);
  return first === undefined ? [] : [first];
}
