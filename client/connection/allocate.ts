import type { Reply, WireValue } from '../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, LIMITS, ROOT_PATH } from '../../dbus/names.js';
import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';
import { DmabrokerError } from '../errors.js';
import { fdSizesOf, type Layout } from '../model.js';
import { decodeLayout } from '../wire/decode.js';
import { encodeExtension, REQUEST_SIGNATURE, type EncodedRequest } from '../wire/encode.js';
import { asString } from '../wire/fields.js';
import type { FdBudget } from './fd-budget.js';
import type { DaemonConnection } from './daemon-connection.js';
import { fdsInOrder } from './reply-fds.js';

const BROKER = { path: ROOT_PATH, interface: BROKER_INTERFACE } as const;

/** What `Allocate` gave: `fds`, those of each buffer one after the other, are the receiver's. */
export interface Grant<L extends Layout = Layout> {
  readonly path: string;
  readonly layout: L;
  readonly fds: readonly OwnedFd[];
}

/** Asks for buffers, in as many calls as the bus needs. All of them come, or none stays. */
export class AllocateCalls {
  readonly #connection: DaemonConnection;
  readonly #budget: FdBudget;
  /** The most descriptors that a buffer had so far: how many a reply brings is known only when it is there. */
  #fdsPerBuffer = 1;

  constructor(connection: DaemonConnection, budget: FdBudget) {
    this.#connection = connection;
    this.#budget = budget;
  }

  /** @throws {DmabrokerError} */
  async start(request: EncodedRequest): Promise<Grant> {
    const expected = Math.min(request.count ?? Infinity, request.perCall);
    const first = await this.#allocate(request.body, expected, async ({ body: [path], fds }) => {
      closeAll(fds);
      if (typeof path === 'string') await this.#releaseQuietly(path);
    });
    const missing = (request.count ?? 0) - first.layout.count;
    if (missing <= 0) return first;
    try {
      const more = await this.extend(first.path, missing, fdSizesOf(first.layout).length);
      return {
        ...first,
        layout: { ...first.layout, count: first.layout.count + missing },
        fds: [...first.fds, ...more],
      };
    } catch (error) {
      closeAll(first.fds);
      await this.#releaseQuietly(first.path);
      throw error;
    }
  }

  /**
   * More buffers of the same layout. Those of a failed call are closed, but count until the allocation is released.
   * @param fdsPerBuffer descriptors that each of its buffers has
   */
  async extend(path: string, count: number, fdsPerBuffer: number): Promise<readonly OwnedFd[]> {
    const fds: OwnedFd[] = [];
    const perCall = Math.max(Math.floor(LIMITS.buffersPerCall / fdsPerBuffer), 1);
    try {
      for (let missing = count; missing > 0; missing -= perCall) {
        const next = Math.min(missing, perCall);
        const grant = await this.#allocate(encodeExtension(path, next), next, closeReply);
        fds.push(...grant.fds);
        if (grant.layout.count !== next || fdSizesOf(grant.layout).length !== fdsPerBuffer)
          throw new DmabrokerError(
            'InvalidReply',
            `${next} buffers were asked for, and ${grant.layout.count} came`,
          );
      }
      return fds;
    } catch (error) {
      closeAll(fds);
      throw error;
    }
  }

  async release(path: string): Promise<void> {
    await this.#connection.call({ ...BROKER, member: 'Release', signature: 'o', body: [path] });
  }

  /** @param buffers that are expected */
  async #allocate(
    body: readonly WireValue[],
    buffers: number,
    undo: (reply: Reply) => Promise<void>,
  ): Promise<Grant> {
    const giveBack = await this.#budget.take(Math.min(buffers * this.#fdsPerBuffer, LIMITS.buffersPerCall));
    let late: Promise<Reply> | undefined;
    try {
      const call = { ...BROKER, member: 'Allocate', signature: REQUEST_SIGNATURE, body };
      const reply = await this.#connection.call(call, {
        takesFds: true,
        late: (answer) => {
          late = answer;
        },
      });
      try {
        const grant = readGrant(reply);
        this.#fdsPerBuffer = Math.max(this.#fdsPerBuffer, fdSizesOf(grant.layout).length);
        return grant;
      } catch (error) {
        await undo(reply);
        throw error;
      }
    } finally {
      if (late === undefined) giveBack();
      else
        void late
          .then(undo)
          .catch(() => undefined)
          .finally(giveBack);
    }
  }

  /** What failed before is what the caller has to know; an allocation that stays behind ends with the connection. */
  async #releaseQuietly(path: string): Promise<void> {
    await this.release(path).catch(() => undefined);
  }
}

/** The allocation that was to grow stays as it is. */
async function closeReply({ fds }: Reply): Promise<void> {
  closeAll(fds);
  return Promise.resolve();
}

function readGrant(reply: Reply): Grant {
  const [path, layout, indexes] = reply.body;
  const fds = fdsInOrder(indexes, reply);
  const grant = { path: asString(path, 'allocation'), layout: decodeLayout(layout), fds };
  const { count } = grant.layout;
  if (fds.length === 0 || count * fdSizesOf(grant.layout).length !== fds.length) {
    throw new DmabrokerError('InvalidReply', `the daemon sent ${fds.length} fds for ${count} buffers`);
  }
  return grant;
}
