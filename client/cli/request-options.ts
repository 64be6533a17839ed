import { USES } from '../../dbus/names.js';
import type { BufferRequest, DeviceRequest } from '../request.js';
import type { Arguments, Option } from './arguments.js';
import { limitNames, parseDevice } from './device-argument.js';
import { parseModifierArgument, parseWhole, parseWhole32 } from './numbers.js';
import { UsageError } from './usage.js';

/** The options of `allocate` and `explain` that say what is asked for. */
export const REQUEST_OPTIONS: readonly Option[] = [
  { name: 'device', value: 'DEVICE[:ITEM,…]', repeats: true, text: 'who touches the buffers, and how' },
  { name: 'width', value: 'PIXELS', text: 'of the image' },
  { name: 'height', value: 'PIXELS', text: 'of the image' },
  { name: 'format', value: 'FOURCC', text: 'of the image: XR24, NV12' },
  { name: 'modifier', value: 'MODIFIER', repeats: true, text: 'accepted layout: LINEAR, or a number' },
  { name: 'size', value: 'BYTES', text: 'instead of an image; 64K, 8MiB' },
  { name: 'count', value: 'N', text: 'how many buffers' },
  { name: 'total', value: 'N', text: 'how many there will be in the end' },
  { name: 'label', value: 'TEXT', text: "shown by the kernel's own tools" },
];

export const REQUEST_NOTES: readonly string[] = [
  'DEVICE is a node (/dev/dri/card0), a number (226:0), or cpu. An ITEM is a use, a limit with its value, or a need: ' +
    '--device /dev/dri/card0:scanout,pitch-multiple=256,contiguous',
  `Uses: ${USES.join(', ')}.`,
  `Limits and needs: ${limitNames.join(', ')}. Several modifiers are joined by +.`,
];

export interface Request {
  readonly devices: readonly DeviceRequest[];
  readonly buffer: BufferRequest;
}

/** @throws {UsageError} */
export function readRequest(args: Arguments): Request {
  const devices = args.texts('device').map(parseDevice);
  if (devices.length === 0)
    throw new UsageError('who touches the buffers? Say --device, as in --device cpu:read,write');
  return { devices, buffer: readBuffer(args) };
}

function readBuffer(args: Arguments): BufferRequest {
  const number = (name: string): number | undefined => {
    const text = args.text(name);
    return text === undefined ? undefined : parseWhole32(text, `--${name}`);
  };
  const [width, height, count, total] = [number('width'), number('height'), number('count'), number('total')];
  const [format, size, label] = [args.text('format'), args.text('size'), args.text('label')];
  const modifiers = args.texts('modifier').map((text) => parseModifierArgument(text, '--modifier'));
  const set = {
    ...(count !== undefined && { count }),
    ...(total !== undefined && { total }),
    ...(label !== undefined && { label }),
  };
  const image = width ?? height ?? format ?? modifiers[0];
  if (size !== undefined) {
    if (image !== undefined) throw new UsageError('say either --size, or --width, --height and --format');
    return { ...set, size: parseWhole(size, '--size') };
  }
  if (width === undefined || height === undefined || format === undefined) {
    throw new UsageError('what do the buffers hold? Say --width, --height and --format, or --size');
  }
  return { ...set, width, height, format, ...(modifiers.length > 0 && { modifiers }) };
}
