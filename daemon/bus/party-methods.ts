import { partyId, partyPath } from '../../dbus/names.js';
import type { WireDict } from '../../dbus/connection/bus-types.js';
import type { Broker } from '../broker/broker-types.js';
import {
  PARTY_LIMITS,
  type PartyBuffers,
  type PartyConstraint,
  type PartyExplanation,
  type PartyInfo,
} from '../broker/parties/party-types.js';
import { bind, type Binding, type Handler, type Revocable } from './binding.js';
import { PARTY } from './contract.js';
import { constraintDict, layoutDict } from './replies.js';
import { readInvite, readProposal, readSet } from './request-parties.js';
import { boundedText, invalid } from './wire-values.js';
import { dict, entry } from './wire-out.js';

/** What `org.dmabroker1.Broker` has for negotiation. */
export function negotiationMethods({ parties }: Broker): {
  readonly Negotiate: Handler;
  readonly Join: Handler;
} {
  return {
    Negotiate: ({ caller, call }) => {
      const { spec, options } = readSet(call.body);
      const { deadlineMs = PARTY_LIMITS.deadlineMs.usual, ...bounds } = options;
      return [partyPath(parties.negotiate(caller, { ...spec, ...bounds }, deadlineMs))];
    },
    Join: ({ caller, call }) => {
      const [token = ''] = call.body;
      return [partyPath(parties.join(caller, boundedText('token', token)))];
    },
  };
}

/** `org.dmabroker1.Party`: arguments in, the answer of negotiation out. */
export function partyBinding({ parties }: Broker): Binding {
  return bind(PARTY, {
    Invite: ({ caller, call }) => {
      const { count, options } = readInvite(call.body);
      const { part, isOneOf, invites, label, uid = caller.uid } = options;
      const invitation = { part, invites, label, uid };
      return [parties.invite(caller, partyId(call.path), count, invitation, isOneOf)];
    },
    Withdraw: ({ caller, call }) => {
      const [token = ''] = call.body;
      parties.withdraw(caller, partyId(call.path), boundedText('token', token));
      return [];
    },
    Constrain: ({ caller, call }) => {
      const id = partyId(call.path);
      const { proposal, imageLimit } = readProposal(call.body);
      if (imageLimit !== undefined && 'size' in parties.specOf(caller, id).content)
        throw invalid(imageLimit, 'excluded', 'not accepted when the buffer has a size and no image');
      parties.constrain(caller, id, proposal);
      return [];
    },
    Buffers: ({ caller, call }) => {
      if (!call.expectsReply)
        throw invalid('Buffers', 'missing', 'the reply carries the buffers, so the call must expect one');
      const [first] = call.body;
      if (typeof first !== 'number') throw invalid('first', 'type', 'the value is not of type u');
      return parties.buffers(caller, partyId(call.path), first).then(given);
    },
    Renew: ({ caller, call }) => {
      const id = partyId(call.path);
      const { spec, options } = readSet(call.body);
      const { deadlineMs, ...bounds } = options;
      parties.renew(caller, id, { ...spec, ...bounds }, deadlineMs);
      return [];
    },
    Explain: ({ caller, call }) =>
      parties.explain(caller, partyId(call.path)).then((explanation) => [explanationDict(explanation)]),
    Leave: ({ caller, call }) => {
      parties.leave(caller, partyId(call.path));
      return [];
    },
  });
}

const given = ({ layout, generation, fds, delivered }: PartyBuffers): Revocable => ({
  results: [[...layoutDict(layout), entry('generation', 'u', generation)], fds],
  undelivered: () => undefined,
  sent: delivered,
});

function explanationDict({
  feasible,
  layout,
  constraints,
  conflicts,
  limits,
  suggestions,
  waiting,
  parties,
}: PartyExplanation): WireDict {
  return dict(
    entry('feasible', 'b', feasible),
    ...(layout === undefined
      ? []
      : [entry('layout', 'a{sv}', layoutDict(layout)), entry('pool', 's', layout.pool)]),
    entry('constraints', 'aa{sv}', constraints.map(partyConstraintDict)),
    entry('conflicts', 'aa{sv}', conflicts.map(partyConstraintDict)),
    entry('limits', 'as', limits),
    entry('suggestions', 'as', suggestions),
    entry(
      'waiting',
      'aa{sv}',
      waiting.map(({ label, state, party }) =>
        dict(entry('label', 's', label), entry('state', 's', state), entry('party', 'i', party)),
      ),
    ),
    ...(parties === undefined ? [] : [entry('parties', 'aa{sv}', parties.map(infoDict))]),
  );
}

const partyConstraintDict = ({ constraint, party, alternative, isHidden }: PartyConstraint): WireDict =>
  isHidden
    ? dict(entry('party', 'i', party), entry('constraint', 's', constraint.kind))
    : [...constraintDict(constraint), entry('party', 'i', party), entry('alternative', 'u', alternative)];

const infoDict = ({ party, inviter, label, state, alternative, buffers, unit }: PartyInfo): WireDict =>
  dict(
    entry('party', 'i', party),
    entry('inviter', 'i', inviter),
    entry('label', 's', label),
    entry('state', 's', state),
    entry('alternative', 'i', alternative),
    entry('buffers', 'u', buffers),
    ...(unit === undefined ? [] : [entry('unit', 's', unit)]),
  );
