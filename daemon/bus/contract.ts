import {
  ALLOCATION_INTERFACE,
  PARTY_INTERFACE,
  BROKER_INTERFACE,
  DEVICE_INTERFACE,
  POOL_INTERFACE,
} from '../../dbus/names.js';

/**
 * The D-Bus contract as the code has it. `dbus/org.dmabroker1.xml` says the same for people, live introspection is made
 * from this, and a test holds the three together.
 */

/** Names of arguments, in order, each with its signature. */
export type Arguments = Readonly<Record<string, string>>;

export interface MethodTable {
  readonly in: Arguments;
  readonly out: Arguments;
}

/** What the annotation `org.freedesktop.DBus.Property.EmitsChangedSignal` says: `const` never changes while its object is there. */
export type EmitsChanged = 'const' | 'true';

export interface PropertyTable {
  readonly type: string;
  readonly changes: EmitsChanged;
}

export interface InterfaceTable {
  readonly name: string;
  readonly methods: Readonly<Record<string, MethodTable>>;
  readonly properties: Readonly<Record<string, PropertyTable>>;
  readonly signals: Readonly<Record<string, Arguments>>;
}

/** The signature of all the arguments together. */
export const signatureOf = (args: Arguments): string => Object.values(args).join('');

const REQUEST = { devices: 'a(sa{sv})', buffer: 'a{sv}' } as const;

export const BROKER = {
  name: BROKER_INTERFACE,
  methods: {
    Allocate: { in: REQUEST, out: { allocation: 'o', layout: 'a{sv}', fds: 'ah' } },
    Explain: { in: REQUEST, out: { result: 'a{sv}' } },
    Release: { in: { allocation: 'o' }, out: {} },
    OpenChannel: { in: { options: 'a{sv}' }, out: { socket: 'h' } },
    Reload: { in: {}, out: {} },
    SetPoolLimit: { in: { pool: 's', bytes: 't' }, out: {} },
    Reveal: { in: { pool: 's' }, out: { details: 'a{sv}' } },
    Negotiate: { in: { buffer: 'a{sv}', options: 'a{sv}' }, out: { party: 'o' } },
    Join: { in: { token: 's' }, out: { party: 'o' } },
  },
  properties: {
    Version: { type: 's', changes: 'const' },
    MaxFdsPerReply: { type: 'u', changes: 'const' },
    LiveBytes: { type: 't', changes: 'true' },
    LiveBuffers: { type: 't', changes: 'true' },
    Channels: { type: 'u', changes: 'true' },
    PolicyFiles: { type: 'as', changes: 'true' },
    Shortfalls: { type: 'aa{sv}', changes: 'true' },
    Warnings: { type: 'as', changes: 'true' },
  },
  signals: {},
} as const satisfies InterfaceTable;

export const DEVICE = {
  name: DEVICE_INTERFACE,
  methods: {},
  properties: {
    // A device that was just plugged in may tell more a moment later, when its other nodes are there and may be opened.
    Node: { type: 's', changes: 'const' },
    OtherNodes: { type: 'as', changes: 'true' },
    Number: { type: 's', changes: 'const' },
    Subsystem: { type: 's', changes: 'const' },
    Driver: { type: 's', changes: 'true' },
    Name: { type: 's', changes: 'true' },
    Uses: { type: 'as', changes: 'true' },
    Formats: { type: 'a(sat)', changes: 'true' },
    Constraints: { type: 'aa{sv}', changes: 'true' },
    Pools: { type: 'as', changes: 'true' },
  },
  signals: {},
} as const satisfies InterfaceTable;

export const POOL = {
  name: POOL_INTERFACE,
  methods: {},
  properties: {
    Handle: { type: 's', changes: 'const' },
    Class: { type: 's', changes: 'const' },
    Limit: { type: 't', changes: 'true' },
    Live: { type: 't', changes: 'true' },
    Warm: { type: 't', changes: 'true' },
    Hits: { type: 't', changes: 'true' },
    Misses: { type: 't', changes: 'true' },
  },
  signals: {},
} as const satisfies InterfaceTable;

export const ALLOCATION = {
  name: ALLOCATION_INTERFACE,
  methods: {},
  properties: {
    Owner: { type: 's', changes: 'const' },
    User: { type: 'u', changes: 'const' },
    Unit: { type: 's', changes: 'const' },
    Label: { type: 's', changes: 'const' },
    Pool: { type: 's', changes: 'const' },
    Layout: { type: 'a{sv}', changes: 'true' },
    Size: { type: 't', changes: 'true' },
    Created: { type: 't', changes: 'const' },
    State: { type: 's', changes: 'true' },
  },
  signals: {},
} as const satisfies InterfaceTable;

export const PARTY = {
  name: PARTY_INTERFACE,
  methods: {
    Invite: { in: { count: 'u', options: 'a{sv}' }, out: { tokens: 'as' } },
    Withdraw: { in: { token: 's' }, out: {} },
    Constrain: { in: { alternatives: 'aa(sa{sv})', needs: 'a{sv}' }, out: {} },
    Buffers: { in: { first: 'u' }, out: { layout: 'a{sv}', fds: 'ah' } },
    Renew: { in: { buffer: 'a{sv}', options: 'a{sv}' }, out: {} },
    Explain: { in: {}, out: { result: 'a{sv}' } },
    Leave: { in: {}, out: {} },
  },
  properties: {
    State: { type: 's', changes: 'true' },
    Generation: { type: 'u', changes: 'true' },
    Held: { type: 'u', changes: 'true' },
  },
  signals: {},
} as const satisfies InterfaceTable;

export type MethodName<T extends InterfaceTable> = keyof T['methods'] & string;
export type PropertyName<T extends InterfaceTable> = keyof T['properties'] & string;
