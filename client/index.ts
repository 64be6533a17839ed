/**
 * dmabroker's client library: dma-buf memory that every device of a request can use.
 *
 * @module
 */
export { connect, type ConnectOptions } from './connect.js';
export type { Broker, BrokerEvents } from './broker.js';
export type { Allocation } from './allocation.js';
export type { Party, PartyEvents } from './party.js';
export type { PartyBuffers } from './party-buffers.js';
export type { DmaBuffer, MappedBytes } from './dma-buffer.js';
export type { CpuUse } from './memory/sync.js';
export type { Watch, WatchEvents } from './watch.js';
export { DmabrokerError, type DmabrokerErrorCode } from './errors.js';
export type { OwnedFd } from '../dbus/owned-fd.js';
export type { Use } from '../dbus/names.js';
export type { BufferRequest, DeviceRequest, ImageRequest, MemoryRequest } from './request.js';
export type {
  CollectionRequest,
  ImageCollectionRequest,
  InviteOptions,
  MemoryCollectionRequest,
  Needs,
  NegotiateOptions,
  PartyExplanation,
  PartyInfo,
  PartyState,
  WaitedToken,
} from './negotiation.js';
export type {
  AllocationInfo,
  BrokerObject,
  BrokerStatus,
  ConstraintInfo,
  Details,
  DeviceInfo,
  Explanation,
  FormatInfo,
  ImageLayout,
  Layout,
  MemoryLayout,
  PlaneLayout,
  PoolInfo,
  Value,
} from './model.js';
export { deviceFromDevT } from './graphics/dev-t.js';
export { fourccCode, fourccName } from './graphics/fourcc.js';
export { eglFormats, linuxDmabufFormats, type EglFormat } from './graphics/format-lists.js';
export { linuxDmabufParams, type DmabufParams, type DmabufPlane } from './graphics/linux-dmabuf.js';
export { modifierName, parseModifier } from './graphics/modifiers.js';
