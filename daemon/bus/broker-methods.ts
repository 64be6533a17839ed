import { allocationPath } from '../../dbus/names.js';
import { unknownAllocation } from '../broker/refusal.js';
import type { Broker, Granted, Owner } from '../broker/types.js';
import { isAdministrator, requireAccess, type Action, type Authority } from './access.js';
import { bind, type Binding, type Invocation, type Revocable } from './binding.js';
import { BROKER } from './contract.js';
import type { ObjectTree } from './objects.js';
import { PreparedReplies } from './prepared-replies.js';
import { detailsDict } from './replies.js';
import { Requests } from './request.js';
import { boundedText, invalid } from './wire-values.js';

/** `org.dmabroker1.Broker`: arguments in, the broker's answer out. */
export function brokerBinding(broker: Broker, objects: ObjectTree, authority: Authority): Binding {
  const idAt = (path: string, { uid }: Owner): string | undefined => objects.find(path, uid)?.owned?.id;
  const allow = async ({ caller, call }: Invocation, action: Action): Promise<void> =>
    requireAccess(authority, caller, action, call.allowsInteraction);

  const requests = new Requests();
  const replies = new PreparedReplies();
  const handOver = (granted: Granted): Revocable => ({
    results: [allocationPath(granted.allocation.id), replies.layout(granted.layout), granted.fds],
    undelivered: () => {
      broker.undo(granted);
    },
    sent: () => {
      broker.delivered(granted);
    },
  });

  return bind(BROKER, {
    Allocate: ({ caller, call }) => {
      if (!call.expectsReply) throw invalid('Allocate', 'the buffers are in the reply, so ask for one');
      const request = requests.allocate(call.body, (path) => idAt(path, caller));
      const granted = broker.allocate(caller, request);
      return granted instanceof Promise ? granted.then(handOver) : handOver(granted);
    },
    Explain: ({ caller, call }) => {
      const explained = broker.explain(caller, requests.explain(call.body));
      if (!(explained instanceof Promise)) return [replies.explanation(explained)];
      return explained.then((explanation) => [replies.explanation(explanation)]);
    },
    Release: ({ caller, call }) => {
      const id = idAt(boundedText('allocation', call.body[0] ?? '', 'o'), caller);
      if (id === undefined) throw unknownAllocation();
      broker.release(caller, id, isAdministrator(caller.uid));
      return [];
    },
    Reload: async (invocation) => {
      await allow(invocation, 'org.dmabroker1.reload');
      await broker.reload();
      return [];
    },
    SetPoolLimit: async (invocation) => {
      await allow(invocation, 'org.dmabroker1.manage-pools');
      const [pool = '', bytes] = invocation.call.body;
      if (typeof bytes !== 'bigint') throw invalid('bytes', 'the value is not of type t');
      broker.setPoolLimit(boundedText('pool', pool, 's'), bytes);
      return [];
    },
    Reveal: async (invocation) => {
      await allow(invocation, 'org.dmabroker1.reveal');
      const [pool = ''] = invocation.call.body;
      return [detailsDict(broker.reveal(boundedText('pool', pool, 's')))];
    },
  });
}
