import type { WireValue } from '../../dbus/connection/bus-types.js';
import { LIMITS } from '../../dbus/names.js';
import { unknownAllocation } from '../broker/refusal.js';
import type { ExtendRequest, NewRequest } from '../broker/broker-types.js';
import { contentOf, countsOf, readBuffer, type BufferFields } from './request-buffer.js';
import { readEntries, type Participants } from './request-entries.js';
import type { CallBudget } from './request-fields.js';
import { invalid } from './wire-values.js';

/**
 * Reads requests. The connection returns the same decoded object for a body that it has seen before, and this returns the
 * same request for it, so that the broker finds its earlier decision.
 */
export class Requests {
  readonly #perReply: number;
  readonly #cache = new WeakMap<readonly WireValue[], NewRequest>();

  /** @param perReply descriptors that fit into a reply */
  constructor(perReply: number = LIMITS.buffersPerCall) {
    this.#perReply = perReply;
  }

  /** As `readAllocate` does. */
  allocate(
    body: readonly WireValue[],
    allocationId: (path: string) => string | undefined,
  ): NewRequest | ExtendRequest {
    const known = this.#cache.get(body);
    if (known !== undefined) return known;
    const request = readAllocate(body, allocationId, this.#perReply);
    // The same path can name another allocation to another caller.
    if (!('extends' in request)) this.#cache.set(body, request);
    return request;
  }

  /** As `readExplain` does. */
  explain(body: readonly WireValue[]): NewRequest {
    const known = this.#cache.get(body);
    if (known !== undefined) return known;
    const request = readExplain(body, this.#perReply);
    this.#cache.set(body, request);
    return request;
  }
}

/**
 * The arguments of `Allocate` (`a(sa{sv})a{sv}`) as a typed request. Every rule that needs nothing but the request
 * itself is kept here; a refusal names the field and says what is accepted.
 * @param allocationId id of the allocation at an object path, undefined when the caller may not see one there
 * @param perReply descriptors that fit into the reply
 * @throws {BrokerError} InvalidRequest, TooManyBuffers, or UnknownAllocation for what `extends` names
 */
export function readAllocate(
  body: readonly WireValue[],
  allocationId: (path: string) => string | undefined,
  perReply: number = LIMITS.buffersPerCall,
): NewRequest | ExtendRequest {
  const { participants, fields } = readArguments(body, perReply);
  if (fields.extends === undefined) return newRequest(participants, fields, perReply);
  checkExtension(participants, fields);
  const id = allocationId(fields.extends);
  if (id === undefined) throw unknownAllocation();
  const { count } = fields;
  return { extends: id, ...(count !== undefined && { count }), ...said(perReply) };
}

/** The arguments of `Explain`. @throws {BrokerError} InvalidRequest or TooManyBuffers */
export function readExplain(
  body: readonly WireValue[],
  perReply: number = LIMITS.buffersPerCall,
): NewRequest {
  const { participants, fields } = readArguments(body, perReply);
  if (fields.extends !== undefined)
    throw invalid(
      'buffer extends',
      'excluded',
      'not accepted by Explain: an extension has the layout of its allocation',
    );
  return newRequest(participants, fields, perReply);
}

interface Arguments {
  readonly participants: Participants;
  readonly fields: BufferFields;
}

function readArguments(body: readonly WireValue[], buffers: number): Arguments {
  const [devices = [], buffer = []] = body;
  const budget: CallBudget = { modifiers: LIMITS.modifiersPerCall, buffers };
  return { participants: readEntries(devices, budget), fields: readBuffer(buffer, budget) };
}

function newRequest(
  { entries, imageLimit }: Participants,
  fields: BufferFields,
  perReply: number,
): NewRequest {
  if (entries.length === 0)
    throw invalid('devices', 'empty', 'the list is empty; name every device that will use the buffer');
  return {
    entries,
    ...said(perReply),
    content: contentOf(fields, imageLimit),
    ...countsOf(fields),
    ...(fields.label !== undefined && { label: fields.label }),
    ...(fields['error-data'] === true && { errorData: true }),
  };
}

function checkExtension({ entries }: Participants, fields: BufferFields): void {
  if (entries.length > 0)
    throw invalid(
      'devices',
      'excluded',
      'not accepted together with extends: the devices of the allocation stay',
    );
  const other = Object.keys(fields).find((name) => name !== 'extends' && name !== 'count');
  if (other !== undefined)
    throw invalid(`buffer ${other}`, 'excluded', 'not accepted together with extends, only count is');
}

/** What is said of a reply that does not go over the bus. */
const said = (perReply: number): Pick<NewRequest, 'perReply'> =>
  perReply === LIMITS.buffersPerCall ? {} : { perReply };
