import { isDeepStrictEqual } from 'node:util';

import { isObjectPath } from '../../dbus/connection/name-rules.js';
import { BusCallError, type Reply, type WireValue } from '../../dbus/connection/bus-types.js';
import { errorName } from '../../dbus/errors.js';
import { BROKER_INTERFACE, LIMITS, PARTY_INTERFACE, ROOT_PATH } from '../../dbus/names.js';
import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';
import { DmabrokerError } from '../errors.js';
import { fdSizesOf, type Layout } from '../model.js';
import type { PartyExplanation } from '../negotiation.js';
import {
  decodePartyExplanation,
  decodePartyFace,
  decodeSet,
  type PartyFace,
} from '../wire/decode-negotiation.js';
import { asList, asString } from '../wire/fields.js';
import type { CallOptions, DaemonCall, DaemonConnection } from './daemon-connection.js';
import type { FdBudget } from './fd-budget.js';
import { fdsInOrder } from './reply-fds.js';
import { readFace } from './tree.js';

/** Times that buffers are asked for again because other ones took their place meanwhile. */
const MAX_RENEWALS = 8;

/** An index that no buffer has: what is returned then is the layout alone. */
const NO_BUFFER = 0xffff_ffff;

const UNKNOWN_OBJECT = 'org.freedesktop.DBus.Error.UnknownObject';

/** The buffers of one generation: `fds`, those of each buffer one after the other, are the receiver's. */
export interface PartyGrant {
  readonly layout: Layout;
  readonly generation: number;
  readonly fds: readonly OwnedFd[];
}

/** The calls of negotiation. Everything rejects with DmabrokerError. */
export class PartyCalls {
  readonly #connection: DaemonConnection;
  readonly #budget: FdBudget;

  constructor(connection: DaemonConnection, budget: FdBudget) {
    this.#connection = connection;
    this.#budget = budget;
  }

  /** Milliseconds for a call that waits for other parties. */
  get #patience(): number {
    return this.#connection.timeout + LIMITS.deadlineMs;
  }

  /** @returns the path of the party */
  negotiate(body: readonly WireValue[]): Promise<string> {
    return this.#begin('Negotiate', 'a{sv}a{sv}', body);
  }

  /** @returns the path of the party */
  join(token: string): Promise<string> {
    return this.#begin('Join', 's', [token]);
  }

  async invite(path: string, body: readonly WireValue[]): Promise<readonly string[]> {
    const reply = await this.#call(path, 'Invite', 'ua{sv}', body, {
      late: (answer) => {
        void answer.then((late) => this.#withdrawAll(path, late)).catch(() => undefined);
      },
    });
    const tokens = tokensOf(reply);
    if (tokens.length === body[0]) return tokens;
    await this.#withdrawAll(path, reply);
    throw new DmabrokerError('InvalidReply', `the daemon made ${tokens.length} tokens`);
  }

  async withdraw(path: string, token: string): Promise<void> {
    await this.#call(path, 'Withdraw', 's', [token]);
  }

  async constrain(path: string, body: readonly WireValue[]): Promise<void> {
    await this.#call(path, 'Constrain', 'aa(sa{sv})a{sv}', body);
  }

  async explain(path: string): Promise<PartyExplanation> {
    const reply = await this.#call(path, 'Explain', '', []);
    return decodePartyExplanation(reply.body[0]);
  }

  async leave(path: string): Promise<void> {
    await this.#call(path, 'Leave', '', [], { wait: false });
  }

  /** What the party's object shows now. */
  async face(path: string): Promise<Partial<PartyFace>> {
    try {
      const { fields } = await readFace(this.#connection, path, PARTY_INTERFACE);
      return decodePartyFace(fields);
    } catch (error) {
      throw ofParty(error);
    }
  }

  /** Waits until the buffers are there, or there will be none. */
  async settled(path: string): Promise<Omit<PartyGrant, 'fds'>> {
    const reply = await this.#call(path, 'Buffers', 'u', [NO_BUFFER], { timeout: this.#patience });
    return decodeSet(reply.body[0]);
  }

  /** Has other buffers agreed on, and waits for them. @returns their generation; the earlier one when there are none */
  async renew(path: string, body: readonly WireValue[]): Promise<number> {
    const renewed = this.#call(path, 'Renew', 'a{sv}a{sv}', body);
    // Right behind, because why it fails is told only to a call that waits then.
    const settled = this.settled(path);
    settled.catch(() => undefined);
    await renewed;
    return (await settled).generation;
  }

  /** All buffers of the present generation, as soon as there are some. */
  async buffers(path: string): Promise<PartyGrant> {
    for (let attempt = 0; attempt < MAX_RENEWALS; attempt += 1) {
      const grant = await this.#rest(path, await this.#first(path));
      if (grant !== undefined) return grant;
    }
    throw new DmabrokerError('Unavailable', 'other buffers took the place of these again and again');
  }

  /** Waits for the buffers, and brings the first of them at once where their descriptors have room. */
  async #first(path: string): Promise<PartyGrant> {
    const giveBack = this.#budget.takeSpare(LIMITS.buffersPerCall);
    if (giveBack === undefined) return { ...(await this.settled(path)), fds: [] };
    try {
      return await this.#part(path, 0);
    } finally {
      giveBack();
    }
  }

  /** @returns undefined when other buffers took the place of these */
  async #rest(path: string, first: PartyGrant): Promise<PartyGrant | undefined> {
    const each = fdSizesOf(first.layout).length;
    const all = first.layout.count * each;
    const fds = [...first.fds];
    try {
      while (fds.length < all) {
        const giveBack = await this.#budget.spare(Math.min(all - fds.length, LIMITS.buffersPerCall));
        try {
          const part = await this.#part(path, fds.length / each);
          fds.push(...part.fds);
          if (!isDeepStrictEqual({ ...part, fds: [] }, { ...first, fds: [] })) {
            closeAll(fds);
            return undefined;
          }
          if (fds.length > all || part.fds.length === 0) throw wrongFds(part.fds, all);
        } finally {
          giveBack();
        }
      }
      return { ...first, fds };
    } catch (error) {
      closeAll(fds);
      throw error;
    }
  }

  async #begin(member: string, signature: string, body: readonly WireValue[]): Promise<string> {
    const call = { path: ROOT_PATH, interface: BROKER_INTERFACE, member, signature, body };
    const reply = await this.#connection.call(call, {
      // A party that its program does not know of would be waited for.
      late: (answer) => {
        void answer.then((late) => this.leave(pathOf(late))).catch(() => undefined);
      },
    });
    return pathOf(reply);
  }

  /** Tokens that the program does not know of would be waited for. */
  async #withdrawAll(path: string, reply: Reply): Promise<void> {
    await Promise.allSettled(tokensOf(reply).map((token) => this.withdraw(path, token)));
  }

  /**
   * The buffers from one on, as many as a reply holds. While other ones are agreed on, the daemon lets this call wait, too.
   */
  async #part(path: string, index: number): Promise<PartyGrant> {
    const options = { timeout: this.#patience, takesFds: true };
    return readPart(await this.#call(path, 'Buffers', 'u', [index], options));
  }

  async #call(
    path: string,
    member: string,
    signature: string,
    body: readonly WireValue[],
    { timeout = this.#connection.timeout, ...options }: CallOptions & Pick<DaemonCall, 'timeout'> = {},
  ): Promise<Reply> {
    const call = { path, interface: PARTY_INTERFACE, member, signature, body, timeout };
    const repeatable = member === 'Buffers' || member === 'Explain';
    try {
      return await this.#connection.call(call, { repeatable, ...options });
    } catch (error) {
      throw ofParty(error);
    }
  }
}

/**
 * What a reply has of the buffers of a generation.
 * @throws {DmabrokerError} InvalidReply; then its descriptors are closed
 */
function readPart(reply: Reply): PartyGrant {
  const [layout, indexes] = reply.body;
  try {
    const fds = fdsInOrder(indexes, reply);
    const set = decodeSet(layout);
    const each = fdSizesOf(set.layout).length;
    if (fds.length % each !== 0 || fds.length > set.layout.count * each)
      throw wrongFds(fds, set.layout.count * each);
    return { ...set, fds };
  } catch (error) {
    closeAll(reply.fds);
    throw error;
  }
}

const wrongFds = (fds: readonly OwnedFd[], all: number): DmabrokerError =>
  new DmabrokerError('InvalidReply', `the daemon sent ${fds.length} fds of ${all}`);

const tokensOf = ({ body: [tokens] }: Reply): readonly string[] =>
  asList(tokens, 'tokens').map((token) => asString(token, 'tokens'));

function pathOf({ body: [path] }: Reply): string {
  const text = asString(path, 'party');
  if (!isObjectPath(text)) throw new DmabrokerError('InvalidReply', 'the daemon names no object');
  return text;
}

const busErrorOf = (error: unknown): string | undefined =>
  error instanceof DmabrokerError && error.cause instanceof BusCallError ? error.cause.errorName : undefined;

/** Whether a call failed because the daemon does not have the party. */
export const isPartyUnknown = (error: unknown): boolean => busErrorOf(error) === UNKNOWN_OBJECT;

/** Whether it failed because the party is over, with its daemon or its connection as well. */
export const isPartyOver = (error: unknown): boolean =>
  isPartyUnknown(error) ||
  busErrorOf(error) === errorName('Unavailable') ||
  (error instanceof DmabrokerError && ['NoBus', 'NoDaemon', 'DaemonLeft'].includes(error.code));

/** A party that the daemon does not have: the error of the bus says only that there is no such object. */
function ofParty(error: unknown): unknown {
  return error instanceof DmabrokerError && isPartyUnknown(error)
    ? new DmabrokerError('Unavailable', 'the broker does not have this party any more', {
        cause: error.cause,
      })
    : error;
}
