import {
  BusCallError,
  type Bus,
  type MethodCall,
  type Reply,
  type WireDict,
  type WireValue,
} from './bus-types.js';

/** Calls to the bus itself (D-Bus specification, Message Bus Messages). */

type Caller = Pick<Bus, 'call'>;

/** The name under which the bus itself answers and signals. */
export const DRIVER = 'org.freedesktop.DBus';

const OBJECT = {
  destination: DRIVER,
  path: '/org/freedesktop/DBus',
  interface: DRIVER,
} as const;

export interface NameFlags {
  /** Takes the name from its owner, when that one allows it. */
  readonly replace?: boolean;
  readonly allowReplacement?: boolean;
  /** Waits in line for a name that is taken; without it the answer is `taken`. */
  readonly queue?: boolean;
}

/** `owner`: the name is ours, now or already. */
export type NameState = 'owner' | 'queued' | 'taken';

/** Answers of RequestName. */
const NAME_STATES: ReadonlyMap<WireValue | undefined, NameState> = new Map<WireValue | undefined, NameState>([
  [1, 'owner'],
  [2, 'queued'],
  [3, 'taken'],
  [4, 'owner'],
]);

/** Asks for a well-known name. @throws {BusCallError | BusTimeoutError | BusClosedError} */
export async function requestName(bus: Caller, name: string, flags: NameFlags = {}): Promise<NameState> {
  const bits =
    (flags.allowReplacement === true ? 1 : 0) |
    (flags.replace === true ? 2 : 0) |
    (flags.queue === true ? 0 : 4);
  const state = NAME_STATES.get(await ask(bus, 'RequestName', 'su', [name, bits]));
  if (state === undefined) throw notUnderstood('RequestName');
  return state;
}

/** Who is behind a connection. The pid is a hint: the process may be gone and its number reused. */
export interface Credentials {
  readonly uid: number;
  /** Its groups, the primary one among them; none where the bus does not say. */
  readonly gids: readonly number[];
  readonly pid?: number;
}

/** @throws {BusCallError | BusTimeoutError | BusClosedError} */
export async function getCredentials(bus: Caller, uniqueName: string): Promise<Credentials> {
  const answer = await ask(bus, 'GetConnectionCredentials', 's', [uniqueName]);
  const [uid, pid] = [entry(answer, 'UnixUserID'), entry(answer, 'ProcessID')];
  if (!isNumber(uid)) throw notUnderstood('GetConnectionCredentials');
  const gids = entry(answer, 'UnixGroupIDs');
  return { uid, gids: Array.isArray(gids) ? gids.filter(isNumber) : [], ...(isNumber(pid) && { pid }) };
}

/**
 * Calls the connection that owns a well-known name, by its unique name: an answer counts only if it comes from there,
 * whatever the bus lets through. Starts the service where the bus can.
 * @throws {BusCallError | BusTimeoutError | BusClosedError}
 */
export async function callOwner(bus: Caller, call: MethodCall): Promise<Reply> {
  const { destination: name, timeout } = call;
  const limit = timeout === undefined ? {} : { timeout };
  const owner = (await ownerOf(bus, name, limit)) ?? (await startedOwner(bus, name, limit));
  return bus.call({ ...call, destination: owner });
}

async function startedOwner(bus: Caller, name: string, limit: TimeLimit): Promise<string> {
  await bus.call({ ...OBJECT, member: 'StartServiceByName', signature: 'su', body: [name, 0], ...limit });
  const owner = await ownerOf(bus, name, limit);
  if (owner === undefined) throw new BusCallError(NO_OWNER, `${name} has no owner`);
  return owner;
}

type TimeLimit = Pick<MethodCall, 'timeout'>;

const NO_OWNER = `${DRIVER}.Error.NameHasNoOwner`;

async function ownerOf(bus: Caller, name: string, limit: TimeLimit): Promise<string | undefined> {
  try {
    const { body } = await bus.call({
      ...OBJECT,
      member: 'GetNameOwner',
      signature: 's',
      body: [name],
      ...limit,
    });
    const [owner] = body;
    if (typeof owner !== 'string') throw notUnderstood('GetNameOwner');
    return owner;
  } catch (error) {
    if (error instanceof BusCallError && error.errorName === NO_OWNER) return undefined;
    throw error;
  }
}

/** Id of the bus. */
export async function getBusId(bus: Caller): Promise<string> {
  const id = await ask(bus, 'GetId', '', []);
  if (typeof id !== 'string') throw notUnderstood('GetId');
  return id;
}

/** Has the bus send us the signals that fit a match rule; asked twice, it must be taken back twice. */
export async function addMatch(bus: Caller, rule: string): Promise<void> {
  await ask(bus, 'AddMatch', 's', [rule]);
}

export async function removeMatch(bus: Caller, rule: string): Promise<void> {
  await ask(bus, 'RemoveMatch', 's', [rule]);
}

/**
 * Bytes that wait on the bus for a connection to read them. `none` where nothing does, or the bus itself ends connections
 * that do not read; `not told` where it does not say.
 */
export type QueuedBytes = number | 'none' | 'not told';

/** Asks dbus-daemon (org.freedesktop.DBus.Debug.Stats), which tells root and those that policy allows. Never rejects. */
export async function queuedFor(bus: Caller, uniqueName: string): Promise<QueuedBytes> {
  const call = { ...OBJECT, interface: `${DRIVER}.Debug.Stats`, member: 'GetConnectionStats' };
  try {
    const reply = await bus.call({ ...call, signature: 's', body: [uniqueName] });
    const queued = entry(reply.body[0], 'OutgoingBytes');
    return isNumber(queued) ? queued : 'not told';
  } catch (error) {
    return error instanceof BusCallError && NOTHING_QUEUED.includes(error.errorName) ? 'none' : 'not told';
  }
}

/** It left, or the bus is dbus-broker, which has no such call. */
const NOTHING_QUEUED = ['NameHasNoOwner', 'UnknownMethod', 'UnknownInterface', 'UnknownObject'].map(
  (name) => `${DRIVER}.Error.${name}`,
);

async function ask(
  bus: Caller,
  member: string,
  signature: string,
  body: readonly WireValue[],
): Promise<WireValue | undefined> {
  const reply = await bus.call({ ...OBJECT, member, signature, body });
  return reply.body[0];
}

function entry(answer: WireValue | undefined, key: string): WireValue | undefined {
  if (!Array.isArray(answer)) return undefined;
  // Every reply to this call is an a{sv}; another one has no such entry.
  const found = (answer as WireDict).find(([name]) => name === key)?.[1];
  return typeof found === 'object' && 'value' in found ? found.value : undefined;
}

const isNumber = (value: unknown): value is number => typeof value === 'number';

const notUnderstood = (member: string): BusCallError =>
  new BusCallError(
    'org.freedesktop.DBus.Error.InconsistentMessage',
    `the bus did not answer ${member} as specified`,
  );
