/** Names of the D-Bus contract that the daemon and the client share. The contract itself is `org.dmabroker1.xml`. */
export const BUS_NAME = 'org.dmabroker1';
export const ROOT_PATH = '/org/dmabroker1';

export const BROKER_INTERFACE = 'org.dmabroker1.Broker';
export const DEVICE_INTERFACE = 'org.dmabroker1.Device';
export const POOL_INTERFACE = 'org.dmabroker1.Pool';
export const ALLOCATION_INTERFACE = 'org.dmabroker1.Allocation';
export const PARTY_INTERFACE = 'org.dmabroker1.Party';

export const devicePath = (id: string): string => `${ROOT_PATH}/device/${pathElement(id)}`;
export const poolPath = (handle: string): string => `${ROOT_PATH}/pool/${pathElement(handle)}`;
/** Before the id of an allocation, in its path. */
export const ALLOCATION_PREFIX = `${ROOT_PATH}/allocation/`;
export const allocationPath = (id: string): string => ALLOCATION_PREFIX + pathElement(id);

/** Before the id of a party, in its path. */
const PARTY_PREFIX = `${ROOT_PATH}/party/`;
export const partyPath = (id: string): string => PARTY_PREFIX + pathElement(id);
/** The id of a party by the path of its object. */
export const partyId = (path: string): string => path.slice(PARTY_PREFIX.length);

/** One element of an object path; every byte that may not stand in one becomes `_` and its two hex digits. */
function pathElement(name: string): string {
  if (PLAIN.test(name)) return name;
  return Buffer.from(name).reduce((path, byte) => {
    const char = String.fromCharCode(byte);
    return path + (/[A-Za-z0-9]/.test(char) ? char : `_${byte.toString(16).padStart(2, '0')}`);
  }, '');
}

const PLAIN = /^[A-Za-z0-9]*$/;

/** Limits that the contract fixes; more of anything is `InvalidRequest` (`TooManyBuffers` for buffers). */
export const LIMITS = {
  /** One fd a buffer, and dbus-daemon lets 16 fds through in a message by default. */
  buffersPerCall: 16,
  /** The same over a channel, where the kernel would take 253. */
  buffersPerChannelCall: 64,
  /** Buffers of one generation of a negotiation. */
  buffersPerCollection: 64,
  /** Milliseconds that parties of a negotiation wait for one another. */
  deadlineMs: 20_000,
  entries: 64,
  keysPerEntry: 32,
  modifiersPerCall: 4096,
  /** Bytes. */
  stringLength: 255,
  /** Bytes, without the NUL (DMA_BUF_SET_NAME takes 32 with it). */
  labelLength: 31,
} as const;

/** What a device can do with a buffer. */
export const USES = [
  'scanout',
  'render',
  'texture',
  'decode',
  'encode',
  'capture',
  'output',
  'read',
  'write',
] as const;
export type Use = (typeof USES)[number];

/** uid of root, which may do everything, and has a larger share of what users share. */
export const ADMINISTRATOR_UID = 0;

/** What a heap's memory is like; ARCHITECTURE.md has a line on each ("Words"). */
export const MEMORY_CLASSES = ['scattered', 'contiguous', 'device', 'protected', 'plain'] as const;
export type MemoryClass = (typeof MEMORY_CLASSES)[number];

/** How a CPU sees a buffer that it maps. */
export const CPU_ACCESS = ['cached', 'uncached', 'none'] as const;
export type CpuAccess = (typeof CPU_ACCESS)[number];
