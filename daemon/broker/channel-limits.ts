import { BrokerError } from '../../dbus/errors.js';
import { payerOf } from '../ledger/ledger-types.js';
import type { QuotaRules } from '../policy/policy.js';
import type { OpenChannels, Owner } from './broker-types.js';

/** Why the owner may not open one more channel, or undefined when it may. */
export function channelRefusal(
  owner: Owner,
  open: OpenChannels,
  { channels, clientChannels }: Pick<QuotaRules, 'channels' | 'clientChannels'>,
): BrokerError | undefined {
  const limits = [
    ['ClientChannels', `connection ${owner.name}`, open.client, clientChannels],
    ['Channels', `user ${payerOf(owner)}`, open.user, channels],
  ] as const;
  for (const [key, whose, count, { value, source }] of limits)
    if (count >= value)
      return new BrokerError(
        'QuotaExceeded',
        `${key} allows ${whose} ${value} channels (${source}); ${count} are open.`,
      );
  return undefined;
}
