import { connectBus, requestName } from '../../dbus/connection/bus.js';
import type { Bus, IncomingCall, WireDict, WireValue } from '../../dbus/connection/bus-types.js';
import { errorName, type ErrorCode } from '../../dbus/errors.js';
import { ALLOCATION_INTERFACE, BUS_NAME, POOL_INTERFACE, ROOT_PATH } from '../../dbus/names.js';
import { memfd } from './memory/memfd.js';

/** What the other end of the bus does when it is called. */
export type Answer = (call: IncomingCall) => void;

/**
 * The other end of the bus, as a test wants it to behave: late, broken, gone in the middle. What the real daemon does is
 * for the integration tests.
 */
export interface Peer extends AsyncDisposable {
  readonly bus: Bus;
  /** Members that were called, but for `GetAll`, in order, with their arguments. */
  readonly calls: { readonly member: string; readonly body: readonly WireValue[] }[];
  /** By member; a member that is not here is answered with UnknownMethod. */
  readonly answers: Map<string, Answer>;
  /** Leaves the bus. */
  leave(): Promise<void>;
}

/** @param first answers that it has before it owns the name, by member */
export async function startPeer(
  address: string,
  first: Readonly<Record<string, Answer>> = {},
): Promise<Peer> {
  const bus = await connectBus(address);
  const calls: { member: string; body: readonly WireValue[] }[] = [];
  const answers = new Map<string, Answer>([
    ['GetAll', lacking([])],
    ['GetManagedObjects', objects()],
    [
      'Release',
      (call) => {
        call.reply();
      },
    ],
    ...Object.entries(first),
  ]);
  bus.handleCalls((call) => {
    if (call.member !== 'GetAll') calls.push({ member: call.member, body: call.body });
    const answer = answers.get(call.member);
    if (answer === undefined) call.error('org.freedesktop.DBus.Error.UnknownMethod', call.member);
    else answer(call);
  });
  await requestName(bus, BUS_NAME);
  return {
    bus,
    calls,
    answers,
    leave: () => bus.close(),
    [Symbol.asyncDispose]: () => bus.close(),
  };
}

const of = (signature: string, value: WireValue) => ({ signature, value });

/** Answers GetAll for a broker that lacks these. */
export const lacking =
  (shortfalls: readonly WireDict[]): Answer =>
  (call) => {
    call.reply('a{sv}', [brokerProperties(shortfalls)]);
  };

export const shortfall = (text: string, mend: string): WireDict => [
  ['class', of('s', 'contiguous')],
  ['asked', of('t', 61_651_200n)],
  ['available', of('t', 33_554_432n)],
  ['text', of('s', text)],
  ['mend', of('s', mend)],
];

const brokerProperties = (shortfalls: readonly WireDict[]): WireDict => [
  ['Version', of('s', '1.2.3')],
  ['MaxFdsPerReply', of('u', 16)],
  ['LiveBytes', of('t', 0n)],
  ['LiveBuffers', of('t', 0n)],
  ['Channels', of('u', 0)],
  ['PolicyFiles', of('as', [])],
  ['Shortfalls', of('aa{sv}', shortfalls)],
  ['Warnings', of('as', [])],
];

export const layout = (count: number, size = 4096n): WireDict => [
  ['size', of('t', size)],
  ['count', of('u', count)],
  ['pool', of('s', 'a1')],
  ['cpu-access', of('s', 'cached')],
];

/** Grants what is asked, at the path of this name, with buffers called `granted`. */
export function granting(name = 'one'): Answer {
  return (call) => {
    const [, buffer] = call.body;
    const count = countOf(buffer);
    call.reply('oa{sv}ah', [`${ROOT_PATH}/allocation/${name}`, layout(count), fds(count)]);
  };
}

/** The same with planes apart: two descriptors a buffer, of which at most 8 fit into a reply. */
export function grantingApart(name = 'one'): Answer {
  return (call) => {
    const [, buffer] = call.body;
    const count = countOf(buffer);
    if (count > 8) refusing('TooManyBuffers', `${count}`)(call);
    else call.reply('oa{sv}ah', [`${ROOT_PATH}/allocation/${name}`, layoutApart(count), fds(2 * count)]);
  };
}

const layoutApart = (count: number): WireDict => [
  ['format', of('s', 'NV12')],
  ['modifier', of('t', 0n)],
  ['width', of('u', 64)],
  ['height', of('u', 64)],
  [
    'planes',
    of('a(tu)', [
      [0n, 64],
      [0n, 64],
    ]),
  ],
  ['plane-fds', of('au', [0, 1])],
  ['fd-sizes', of('at', [4096n, 2048n])],
  ...layout(count, 6144n),
];

/** Explains that layout, whatever is asked. */
export const explainingApart = (): Answer => (call) => {
  call.reply('a{sv}', [
    [
      ['feasible', of('b', true)],
      ['layout', of('a{sv}', layoutApart(8))],
      ['pool', of('s', 'a1')],
      ['constraints', of('aa{sv}', [])],
      ['conflicts', of('aa{sv}', [])],
      ['limits', of('as', [])],
      ['suggestions', of('as', [])],
    ],
  ]);
};

export const fds = (count: number): WireValue => Array.from({ length: count }, () => memfd('granted', 4096));

export function countOf(buffer: WireValue | undefined): number {
  const entries = buffer as readonly (readonly [string, { value: WireValue }])[];
  return Number(entries.find(([key]) => key === 'count')?.[1].value ?? 1);
}

export const refusing =
  (code: ErrorCode, message: string): Answer =>
  (call) => {
    call.error(errorName(code), message);
  };

/** Answers in turn, the last one ever after. */
export function inTurn(...turns: readonly Answer[]): Answer {
  let turn = 0;
  return (call) => {
    turns[Math.min(turn++, turns.length - 1)]?.(call);
  };
}

/** An explanation with these constraints, and these of them in conflict. */
export const explaining =
  (constraints: readonly WireDict[], conflicts: readonly WireDict[]): Answer =>
  (call) => {
    call.reply('a{sv}', [
      [
        ['feasible', of('b', conflicts.length === 0)],
        ...(conflicts.length === 0
          ? [['layout', of('a{sv}', layout(16))] as const, ['pool', of('s', 'a1')] as const]
          : []),
        ['constraints', of('aa{sv}', constraints)],
        ['conflicts', of('aa{sv}', conflicts)],
        ['limits', of('as', [])],
        ['suggestions', of('as', ['Leave it.'])],
      ],
    ]);
  };

export const constraint = (kind: string, signature: string, value: WireValue): WireDict => [
  ['entry', of('i', 0)],
  ['device', of('s', 'cpu')],
  ['constraint', of('s', kind)],
  ['value', of(signature, value)],
  ['source', of('s', 'client')],
];

export const poolProperties = (handle: string, live: bigint): WireDict => [
  ['Handle', of('s', handle)],
  ['Class', of('s', 'plain')],
  ['Limit', of('t', 1n << 30n)],
  ['Live', of('t', live)],
  ['Warm', of('t', 0n)],
  ['Hits', of('t', 0n)],
  ['Misses', of('t', 0n)],
];

export const pool = (handle: string, live = 0n): WireValue => [
  `${ROOT_PATH}/pool/${handle}`,
  [[POOL_INTERFACE, poolProperties(handle, live)]],
];

export const allocation = (name: string, owner: string): WireValue => [
  `${ROOT_PATH}/allocation/${name}`,
  [
    [
      ALLOCATION_INTERFACE,
      [
        ['Owner', of('s', owner)],
        ['User', of('u', 1000)],
        ['Unit', of('s', '')],
        ['Label', of('s', '')],
        ['Pool', of('s', 'a1')],
        ['Layout', of('a{sv}', layout(1))],
        ['Size', of('t', 4096n)],
        ['Created', of('t', 1_700_000_000_000_000n)],
        ['State', of('s', 'held')],
      ],
    ],
  ],
];

/** Answers GetManagedObjects with these. */
export function objects(...all: readonly WireValue[]): Answer {
  return (call) => {
    call.reply('a{oa{sa{sv}}}', [all]);
  };
}
