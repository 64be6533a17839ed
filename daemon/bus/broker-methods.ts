import { BrokerError } from '../../dbus/errors.js';
import { allocationPath } from '../../dbus/names.js';
import { Prepared } from '../../dbus/connection/prepared.js';
import type { WireValue } from '../../dbus/connection/bus-types.js';
import { isSameOwner, unknownAllocation } from '../broker/refusal.js';
import type { Broker, Granted, Owner, Explanation, GrantedLayout } from '../broker/broker-types.js';
import { isAdministrator, requireAccess, type Action, type Authority } from './authority.js';
import { bind, type Binding, type Invocation, type Results, type Revocable } from './binding.js';
import type { Channels } from './channels.js';
import { BROKER } from './contract.js';
import type { ObjectTree } from './objects.js';
import { negotiationMethods } from './party-methods.js';
import { detailsDict, explanationDict, layoutDict } from './replies.js';
import { Requests } from './request.js';
import { readDict, type KeyReaders } from './wire-dict.js';
import { boundedText, invalid } from './wire-values.js';

export interface BrokerMethodsOptions {
  readonly broker: Broker;
  readonly objects: ObjectTree;
  readonly authority: Authority;
  readonly channels: Pick<Channels, 'open'>;
  /** Descriptors that fit into a reply. */
  readonly perReply: number;
}

/** `org.dmabroker1.Broker`: arguments in, the broker's answer out. */
export function brokerBinding({
  broker,
  objects,
  authority,
  channels,
  perReply,
}: BrokerMethodsOptions): Binding {
  const allow = async ({ caller, call }: Invocation, action: Action): Promise<void> =>
    requireAccess(authority, caller, action, call.allowsInteraction);

  const requests = new Requests(perReply);
  const replies = new PreparedReplies();
  const grantResults = (granted: Granted): Revocable => ({
    results: [allocationPath(granted.allocation.id), replies.layout(granted.layout), granted.fds],
    undelivered: () => {
      broker.undo(granted);
    },
    sent: () => {
      broker.delivered(granted);
    },
  });
  const release = (caller: Owner, id: string, administrator: boolean): Results => {
    broker.release(caller, id, administrator);
    return [];
  };
  const releaseOthers = async ({ caller, call }: Invocation, id: string): Promise<Results> => {
    // To a caller that may not see it, it does not exist.
    if (!(await authority.allows(caller, 'org.dmabroker1.release-others', call.allowsInteraction)))
      throw unknownAllocation();
    return release(caller, id, true);
  };

  return bind(BROKER, {
    ...negotiationMethods(broker),
    Allocate: ({ caller, viewer, call }) => {
      if (!call.expectsReply)
        throw invalid('Allocate', 'missing', 'the reply carries the buffers, so the call must expect one');
      const request = requests.allocate(call.body, (path) => objects.find(path, viewer)?.owned?.id);
      const granted = broker.allocate(caller, request);
      return granted instanceof Promise ? granted.then(grantResults) : grantResults(granted);
    },
    Explain: ({ caller, call }) => {
      const explained = broker.explain(caller, requests.explain(call.body));
      if (!(explained instanceof Promise)) return [replies.explanation(explained)];
      return explained.then((explanation) => [replies.explanation(explanation)]);
    },
    Release: (invocation) => {
      const { caller, call } = invocation;
      const owned = objects.at(boundedText('allocation', call.body[0] ?? ''))?.owned;
      if (owned === undefined) throw unknownAllocation();
      const own = isSameOwner(owned.owner, caller);
      if (call.overChannel && !own) throw notOverChannel(caller);
      if (own || isAdministrator(caller.uid)) return release(caller, owned.id, !own);
      return releaseOthers(invocation, owned.id);
    },
    OpenChannel: ({ caller, call }) => {
      readDict('options', call.body[0] ?? [], NO_OPTIONS, undefined);
      if (!call.expectsReply)
        throw invalid('OpenChannel', 'missing', 'the reply carries the socket, so the call must expect one');
      const { channel, client } = channels.open(caller);
      return {
        results: [client],
        undelivered: () => {
          void channel.close();
        },
        sent: () => undefined,
      };
    },
    Reload: async (invocation) => {
      await allow(invocation, 'org.dmabroker1.reload');
      await broker.reload();
      return [];
    },
    SetPoolLimit: async (invocation) => {
      await allow(invocation, 'org.dmabroker1.manage-pools');
      const [pool = '', bytes] = invocation.call.body;
      if (typeof bytes !== 'bigint') throw invalid('bytes', 'type', 'the value is not of type t');
      broker.setPoolLimit(boundedText('pool', pool), bytes);
      return [];
    },
    Reveal: async (invocation) => {
      await allow(invocation, 'org.dmabroker1.reveal');
      const [pool = ''] = invocation.call.body;
      return [detailsDict(broker.reveal(boundedText('pool', pool)))];
    },
  });
}

/** No option is known yet. */
const NO_OPTIONS: KeyReaders<undefined> = new Map();

/** A channel knows of no polkit, so that nothing but the caller's own is released over it. */
const notOverChannel = ({ uid }: Owner): BrokerError =>
  isAdministrator(uid)
    ? new BrokerError('AccessDenied', 'what others own is released over the bus, not over a channel')
    : unknownAllocation();

type PreparedDict = Prepared<readonly WireValue[]>;

/** Replies that the broker gives again and again as the same value: made and marshalled once. */
class PreparedReplies {
  readonly #cache = new WeakMap<GrantedLayout | Explanation, PreparedDict>();

  layout(layout: GrantedLayout): PreparedDict {
    return this.#cache.get(layout) ?? this.#keep(layout, layoutDict(layout));
  }

  explanation(explanation: Explanation): PreparedDict {
    return this.#cache.get(explanation) ?? this.#keep(explanation, explanationDict(explanation));
  }

  #keep(of: GrantedLayout | Explanation, dict: readonly WireValue[]): PreparedDict {
    const prepared = new Prepared(() => dict);
    this.#cache.set(of, prepared);
    return prepared;
  }
}
