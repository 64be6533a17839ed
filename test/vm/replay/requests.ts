import type { BufferRequest, DeviceInfo, DeviceRequest } from '../../../client/index.js';

/** A request as a file can hold it. */
export interface RecordedRequest {
  readonly devices: readonly DeviceRequest[];
  readonly buffer: BufferRequest;
}

/** Formats that somebody asks for, whether or not a device here lists them. */
const COMMON = ['XR24', 'AR24', 'NV12', 'YUYV', 'R8', 'P010', 'YU12', 'RG16'];
const MOST_PARTICIPANTS = 4;
/** Pixels: beyond what most of the devices take, so that size limits decide too. */
const MOST_PIXELS = 9000;

/** Requests for these devices that have all sorts of answers: some can be had, some clash, some make no sense here. */
export function randomRequests(
  devices: readonly DeviceInfo[],
  random: () => number,
  count: number,
): readonly RecordedRequest[] {
  const below = (limit: number): number => Math.floor(random() * limit);
  const chance = (share: number): boolean => random() < share;
  const pick = <T>(items: readonly T[]): T => {
    const item = items[below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  };
  const formats = [
    ...COMMON,
    ...new Set(devices.flatMap((device) => device.formats.map(({ format }) => format))),
  ];

  const participant = (isImage: boolean): DeviceRequest => {
    const device = pick(devices);
    const names = [device.node, device.path, ...(device.number === '' ? [] : [device.number])];
    return {
      device: pick(names),
      ...(chance(0.8) &&
        device.uses.length > 0 && { uses: [pick(device.uses)] as DeviceRequest['uses'] & {} }),
      ...(chance(0.15) && { contiguous: true }),
      ...(chance(0.1) && { minBuffers: 1 + below(4) }),
      ...(chance(0.1) && { addressBits: 28 + below(8) }),
      ...(chance(0.1) && { sizeMultiple: pick([4096, 65_536, 1 << 20]) }),
      ...(isImage && chance(0.25) && { pitchMultiple: pick([1, 3, 16, 64, 100, 256]) }),
      ...(isImage && chance(0.1) && { pitchExact: pick([4, 64, 256]) }),
      ...(isImage && chance(0.1) && { heightMultiple: pick([2, 16, 32]) }),
      ...(isImage && chance(0.1) && { pitchMax: 1 << (8 + below(8)) }),
    };
  };

  return Array.from({ length: count }, () => {
    const isImage = chance(0.85);
    return {
      devices: Array.from({ length: 1 + below(MOST_PARTICIPANTS) }, () => participant(isImage)),
      buffer: isImage
        ? { width: 1 + below(MOST_PIXELS), height: 1 + below(MOST_PIXELS), format: pick(formats) }
        : { size: 1 + below(1 << 26) },
    };
  });
}
