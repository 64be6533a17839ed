import { BusCallError } from '../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, LIMITS, ROOT_PATH } from '../../dbus/names.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import { DmabrokerError } from '../errors.js';
import { fdSizesOf, type ConstraintInfo, type Explanation } from '../model.js';
import type { BufferRequest, DeviceRequest } from '../request.js';
import { decodeConstraint, decodeExplanation } from '../wire/decode.js';
import { encodeRequest, REQUEST_SIGNATURE, type EncodedRequest } from '../wire/encode.js';
import { asList } from '../wire/fields.js';
import type { FdBudget } from './fd-budget.js';
import { AllocateCalls, type Grant } from './allocate.js';
import type { DaemonConnection } from './daemon-connection.js';

/** Stands for any number of buffers in a question that reserves nothing. */
const MAX_BUFFERS = 0xffff_ffff;

/** How many buffers the devices hold on to at once, together. */
const heldAtOnce = (constraints: readonly ConstraintInfo[]): number =>
  constraints
    .filter(({ constraint }) => constraint === 'min-buffers')
    .reduce((sum, { value }) => sum + Number(value), 0);

/** Requests as callers make them, of any number of buffers, with the constraints of a conflict as data. */
export class Requests {
  readonly #connection: DaemonConnection;
  readonly #allocateCalls: AllocateCalls;

  constructor(connection: DaemonConnection, budget: FdBudget) {
    this.#connection = connection;
    this.#allocateCalls = new AllocateCalls(connection, budget);
  }

  async allocate(devices: readonly DeviceRequest[], buffer: BufferRequest): Promise<Grant> {
    try {
      return await this.#counted(devices, buffer, (request) => this.#allocateCalls.start(request));
    } catch (error) {
      throw withConflict(error);
    }
  }

  async explain(devices: readonly DeviceRequest[], buffer: BufferRequest): Promise<Explanation> {
    return this.#counted(devices, buffer, async (request) => {
      const { layout, ...rest } = await this.#explain(request);
      return layout === undefined
        ? rest
        : { ...rest, layout: { ...layout, count: request.count ?? layout.count } };
    });
  }

  /** @param fdsPerBuffer descriptors that each of its buffers has */
  extend(path: string, count: number, fdsPerBuffer: number): Promise<readonly OwnedFd[]> {
    return this.#allocateCalls.extend(path, count, fdsPerBuffer);
  }

  release(path: string): Promise<void> {
    return this.#allocateCalls.release(path);
  }

  /**
   * Where more buffers are asked for than fit into a call, because the devices hold on to so many or each has several
   * descriptors, asks for as many as fit, and for the rest in further calls.
   */
  async #counted<T>(
    devices: readonly DeviceRequest[],
    buffer: BufferRequest,
    ask: (request: EncodedRequest) => Promise<T>,
  ): Promise<T> {
    try {
      return await ask(encodeRequest(devices, buffer));
    } catch (error) {
      if (!(error instanceof DmabrokerError) || error.code !== 'TooManyBuffers') throw error;
      const { count: asked, ...uncounted } = buffer;
      const isCounted = asked !== undefined || buffer.total !== undefined;
      // Only planes of an image have descriptors of their own.
      if (isCounted && 'size' in buffer) throw error;
      const any = { ...uncounted, total: MAX_BUFFERS };
      const { constraints, layout } = await this.#explain(encodeRequest(devices, any)).catch(() => {
        throw error;
      });
      const fdsPerBuffer = layout === undefined ? 1 : fdSizesOf(layout).length;
      if (isCounted && fdsPerBuffer === 1) throw error;
      const count = asked ?? heldAtOnce(constraints);
      const perCall = Math.max(Math.floor(LIMITS.buffersPerCall / fdsPerBuffer), 1);
      return ask(encodeRequest(devices, { ...buffer, count }, perCall));
    }
  }

  async #explain({ body }: EncodedRequest): Promise<Explanation> {
    const reply = await this.#connection.call(
      { path: ROOT_PATH, interface: BROKER_INTERFACE, member: 'Explain', signature: REQUEST_SIGNATURE, body },
      { repeatable: true },
    );
    return decodeExplanation(reply.body[0]);
  }
}

/** The same error with the constraints that came with it. */
function withConflict(error: unknown): unknown {
  if (!(error instanceof DmabrokerError) || error.code !== 'Conflict') return error;
  const { cause, message } = error;
  const [constraints] = cause instanceof BusCallError ? cause.details : [];
  if (constraints === undefined) return error;
  const conflict = asList(constraints, 'conflict').map((item) => decodeConstraint(item, 'conflict'));
  return new DmabrokerError('Conflict', message, { cause, conflict });
}
