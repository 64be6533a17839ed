import { BrokerError } from '../../dbus/errors.js';
import type { Use } from '../../dbus/names.js';
import { quote } from '../../dbus/quote.js';
import { pixelFormat } from '../constraints/formats.js';
import type { Image } from '../constraints/constraint-types.js';
import type { Device } from '../devices/inventory.js';
import { didYouMean, nearest } from '../policy/suggest.js';
import type { DeviceIndex } from './device-index.js';
import type { ClientLimits, Entry, ImageSpec, NewRequest, TakenFormat } from './broker-types.js';

/** An entry of a request whose device and uses exist. */
export interface Participant {
  /** Its place in the request's list. */
  readonly entry: number;
  readonly device: Device;
  readonly uses?: readonly Use[];
  readonly limits: ClientLimits;
  /** As the client lists them; any when absent. */
  readonly formats?: readonly TakenFormat[];
}

/** A request whose words all mean something on this machine. */
export interface Admitted {
  readonly participants: readonly Participant[];
  readonly content: Image | { readonly size: bigint };
  /** What the request itself allows; anything when absent. */
  readonly modifiers?: readonly bigint[];
}

/**
 * The first step: what does the request speak of?
 * @throws {BrokerError} UnknownDevice, InvalidRequest or UnsupportedFormat, naming what is unknown
 */
export function admit(request: Pick<NewRequest, 'entries' | 'content'>, index: DeviceIndex): Admitted {
  const participants = admitEntries(request.entries, index);
  const { content } = request;
  if ('size' in content) return { participants, content };
  const image = { format: formatOf(content, index), width: content.width, height: content.height };
  const { modifiers } = content;
  return { participants, content: image, ...(modifiers === undefined ? {} : { modifiers }) };
}

/** @throws {BrokerError} UnknownDevice, or InvalidRequest for a use that a device does not have */
export const admitEntries = (entries: readonly Entry[], index: DeviceIndex): readonly Participant[] =>
  entries.map((entry, place) => participant(entry, place, index));

function participant(
  { device: name, uses, limits, formats }: Entry,
  entry: number,
  index: DeviceIndex,
): Participant {
  const device = index.device(name);
  if (device === undefined) {
    throw new BrokerError(
      'UnknownDevice',
      `devices[${entry}]: no device is named ${quote(name)}${deviceMeant(name, index.nodes)}`,
    );
  }
  const strange = uses?.find((use) => !device.uses.includes(use));
  if (strange !== undefined) {
    const has = device.uses.length === 0 ? 'it has no uses' : `its uses are ${device.uses.join(', ')}`;
    throw new BrokerError(
      'InvalidRequest',
      `devices[${entry}] uses: ${device.node} does not have the use ${strange}; ${has}`,
    );
  }
  return { entry, device, limits, ...(uses && { uses }), ...(formats && { formats }) };
}

function formatOf({ format }: ImageSpec, index: DeviceIndex): Image['format'] {
  const known = pixelFormat(format);
  if (known !== undefined) return known;
  const name = quote(format.trimEnd());
  const device = index.knows(format);
  throw new BrokerError(
    'UnsupportedFormat',
    device === undefined
      ? `buffer format: ${name} is not known on this machine${formatMeant(format)}`
      : `buffer format: ${device.node} takes ${name}, but its layout in memory is not known`,
  );
}

/** Nodes that a message names. */
const MAX_NODES_NAMED = 8;

/** `card0` is meant to be `/dev/dri/card0`; whatever else, what there is. */
function deviceMeant(name: string, nodes: readonly string[]): string {
  const meant = nodes.find((node) => node.endsWith(`/${name}`)) ?? nearest(name, nodes);
  if (meant !== undefined) return didYouMean(meant);
  const more = nodes.length > MAX_NODES_NAMED ? ` and ${nodes.length - MAX_NODES_NAMED} more` : '';
  return `; the devices are ${nodes.slice(0, MAX_NODES_NAMED).join(', ')}${more}`;
}

/** Fourccs are upper-case, and most people write them otherwise once. */
function formatMeant(format: string): string {
  const upper = format.toUpperCase();
  return pixelFormat(upper) === undefined ? '' : didYouMean(upper.trimEnd());
}
