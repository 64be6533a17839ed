import { BusCallError } from '../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, LIMITS, ROOT_PATH } from '../../dbus/names.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import { DmabrokerError } from '../errors.js';
import type { Explanation } from '../model.js';
import type { BufferRequest, DeviceRequest } from '../request.js';
import { decodeConstraint, decodeExplanation } from '../wire/decode.js';
import { encodeRequest, REQUEST_SIGNATURE, type EncodedRequest } from '../wire/encode.js';
import { asList } from '../wire/fields.js';
import { FdBudget } from './fd-budget.js';
import { AllocateCalls, type Grant } from './allocate.js';
import type { DaemonConnection } from './daemon-connection.js';

/** Stands for any number of buffers in a question that reserves nothing. */
const MAX_BUFFERS = 0xffff_ffff;

/** Requests as callers make them, of any number of buffers, with the constraints of a conflict as data. */
export class Requests {
  readonly #connection: DaemonConnection;
  readonly #allocateCalls: AllocateCalls;

  constructor(connection: DaemonConnection) {
    this.#connection = connection;
    this.#allocateCalls = new AllocateCalls(connection, new FdBudget());
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

  extend(path: string, count: number): Promise<readonly OwnedFd[]> {
    return this.#allocateCalls.extend(path, count);
  }

  release(path: string): Promise<void> {
    return this.#allocateCalls.release(path);
  }

  /** Where no count is said and the devices hold on to more buffers than fit into a call, says the count for them. */
  async #counted<T>(
    devices: readonly DeviceRequest[],
    buffer: BufferRequest,
    ask: (request: EncodedRequest) => Promise<T>,
  ): Promise<T> {
    try {
      return await ask(encodeRequest(devices, buffer));
    } catch (error) {
      if (!(error instanceof DmabrokerError) || error.code !== 'TooManyBuffers') throw error;
      if (buffer.count !== undefined || buffer.total !== undefined) throw error;
      const count = await this.#heldAtOnce(devices, buffer);
      return ask(encodeRequest(devices, { ...buffer, count }));
    }
  }

  /** How many buffers the devices hold on to at once, together. */
  async #heldAtOnce(devices: readonly DeviceRequest[], buffer: BufferRequest): Promise<number> {
    const any = { ...buffer, count: LIMITS.buffersPerCall, total: MAX_BUFFERS };
    const { constraints } = await this.#explain(encodeRequest(devices, any));
    return constraints
      .filter(({ constraint }) => constraint === 'min-buffers')
      .reduce((sum, { value }) => sum + Number(value), 0);
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
