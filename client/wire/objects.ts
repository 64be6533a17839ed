import type { WireValue } from '../../dbus/connection/bus-types.js';
import {
  ALLOCATION_INTERFACE,
  BROKER_INTERFACE,
  DEVICE_INTERFACE,
  POOL_INTERFACE,
} from '../../dbus/names.js';
import type { AllocationInfo, BrokerObject, BrokerStatus, DeviceInfo, PoolInfo } from '../model.js';
import { decodeConstraint, decodeDetails, decodeFormat, decodeLayout } from './decode.js';
import { asList, asString, Fields } from './fields.js';

export const decodeStatus = (path: string, fields: Fields): BrokerStatus => ({
  kind: 'broker',
  path,
  version: fields.string('Version'),
  maxFdsPerReply: fields.number('MaxFdsPerReply'),
  liveBytes: fields.bigint('LiveBytes'),
  liveBuffers: fields.bigint('LiveBuffers'),
  channels: fields.number('Channels'),
  policyFiles: fields.strings('PolicyFiles'),
  shortfalls: fields.list('Shortfalls', decodeDetails),
  warnings: fields.strings('Warnings'),
});

const decodeDevice = (path: string, fields: Fields): DeviceInfo => ({
  kind: 'device',
  path,
  node: fields.string('Node'),
  otherNodes: fields.strings('OtherNodes'),
  number: fields.string('Number'),
  subsystem: fields.string('Subsystem'),
  driver: fields.string('Driver'),
  name: fields.string('Name'),
  uses: fields.strings('Uses'),
  formats: fields.list('Formats', decodeFormat),
  constraints: fields.list('Constraints', decodeConstraint),
  pools: fields.strings('Pools'),
});

const decodePool = (path: string, fields: Fields): PoolInfo => ({
  kind: 'pool',
  path,
  handle: fields.string('Handle'),
  class: fields.string('Class'),
  limit: fields.bigint('Limit'),
  live: fields.bigint('Live'),
  warm: fields.bigint('Warm'),
  hits: fields.bigint('Hits'),
  misses: fields.bigint('Misses'),
});

const decodeAllocation = (path: string, fields: Fields): AllocationInfo => ({
  kind: 'allocation',
  path,
  owner: fields.string('Owner'),
  user: fields.number('User'),
  unit: fields.string('Unit'),
  label: fields.string('Label'),
  pool: fields.string('Pool'),
  layout: decodeLayout(fields.raw('Layout')),
  size: fields.bigint('Size'),
  created: new Date(Number(fields.bigint('Created') / 1000n)),
  state: fields.string('State'),
});

type Decoder = (path: string, fields: Fields) => BrokerObject;

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  [BROKER_INTERFACE, decodeStatus],
  [DEVICE_INTERFACE, decodeDevice],
  [POOL_INTERFACE, decodePool],
  [ALLOCATION_INTERFACE, decodeAllocation],
]);

/** The properties of one object's interface, as they were last told. */
export interface Face {
  readonly path: string;
  readonly interface: string;
  readonly fields: Fields;
}

/** Whether an interface is one of the broker's own. */
export const isOfContract = (name: string): boolean => DECODERS.has(name);

/** @throws {DmabrokerError} InvalidReply */
export function decodeObject(face: Face): BrokerObject {
  const decode = DECODERS.get(face.interface);
  if (decode === undefined) throw new RangeError(`not an interface of the contract: ${face.interface}`);
  return decode(face.path, face.fields);
}

/** The faces of one object that are of the contract (`a{sa{sv}}`). */
export function facesOf(path: string, interfaces: WireValue | undefined): readonly Face[] {
  return asList(interfaces, path).flatMap((entry) => {
    const [key, properties] = asList(entry, path);
    const name = asString(key, path);
    return isOfContract(name) ? [{ path, interface: name, fields: new Fields(properties, path) }] : [];
  });
}

/** The answer of `GetManagedObjects` (`a{oa{sa{sv}}}`). */
export function managedFaces(value: WireValue | undefined): readonly Face[] {
  return asList(value, 'objects').flatMap((entry) => {
    const [path, interfaces] = asList(entry, 'objects');
    return facesOf(asString(path, 'objects'), interfaces);
  });
}
