import { Accounts } from '../accounts/account.js';
import { CacheMemory } from '../bounded-cache.js';
import { BodyCache } from './body-cache.js';
import { CallQueue } from './call-queue.js';
import { HeaderCache } from './header-cache.js';
import { MESSAGE_TYPE } from './header.js';
import { REPLY_BUDGET, STRANGERS_BUDGET, type DecodeBudget } from './limits.js';
import type { SharedParts } from './message-pump.js';
import { MessageWriter } from './message-writer.js';
import { SignatureCache } from './signature-cache.js';
import type { Transport } from './transport.js';

/** Bytes that all caches of a connection and its channels hold together. */
const MAX_CACHE_BYTES = 8 * 2 ** 20;

/** @param transport the one whose congestion holds up all calls */
export function sharedParts(transport: Pick<Transport, 'congested'>): SharedParts {
  const memory = new CacheMemory(MAX_CACHE_BYTES);
  const signatures = new SignatureCache(memory);
  // Until the service says whose connections are, all are one account's.
  const { strangers } = new Accounts();
  return {
    memory,
    headers: new HeaderCache(memory),
    bodies: new BodyCache(signatures, memory),
    writer: new MessageWriter(signatures, memory),
    calls: new CallQueue(() => performance.now(), transport, { strangers, ofSender: () => undefined }),
  };
}

/** What a message may cost whose sender was asked nothing, and one that answers. */
export function budgetFor(type: number): DecodeBudget {
  return type === MESSAGE_TYPE.reply || type === MESSAGE_TYPE.error ? REPLY_BUDGET : STRANGERS_BUDGET;
}
