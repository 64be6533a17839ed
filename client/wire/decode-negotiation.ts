import type { WireValue } from '../../dbus/connection/bus-types.js';
import { LIMITS } from '../../dbus/names.js';
import { DmabrokerError } from '../errors.js';
import type { ConstraintInfo, Layout } from '../model.js';
import type { PartyExplanation, PartyInfo, PartyState, WaitedToken } from '../negotiation.js';
import { decodeConstraint, decodeExplanation, decodeLayout } from './decode.js';
import { Fields } from './fields.js';

const STATES: readonly string[] = [
  'asked',
  'waiting',
  'ready',
  'aside',
  'over',
] satisfies readonly PartyState[];
const isState = (word: string): word is PartyState => STATES.includes(word);

/** What a party's object shows. */
export interface PartyFace {
  readonly state: PartyState;
  readonly generation: number;
  readonly held: number;
}

/** The properties that are there, of all or of a change. */
export function decodePartyFace(fields: Fields): Partial<PartyFace> {
  return {
    ...(fields.has('State') && decodeState(fields.string('State'))),
    ...(fields.has('Generation') && { generation: fields.number('Generation') }),
    ...(fields.has('Held') && { held: fields.number('Held') }),
  };
}

/** A state of a newer daemon is left out, and what comes with it is not. */
const decodeState = (word: string): Partial<PartyFace> => (isState(word) ? { state: word } : {});

/** The layout that `Buffers` returns, of a whole generation. */
export function decodeSet(value: WireValue | undefined): {
  readonly layout: Layout;
  readonly generation: number;
} {
  const layout = decodeLayout(value);
  const generation = new Fields(value, 'layout').number('generation');
  if (layout.count < 1 || layout.count > LIMITS.buffersPerCollection || generation < 1)
    throw new DmabrokerError(
      'InvalidReply',
      `the daemon has ${layout.count} buffers in generation ${generation}`,
    );
  return { layout, generation };
}

/** The result of a party's `Explain`. */
export function decodePartyExplanation(value: WireValue | undefined): PartyExplanation {
  const fields = new Fields(value, 'explanation');
  return {
    ...decodeExplanation(value, decodePartyConstraint),
    waiting: fields.list('waiting', decodeWaited),
    ...(fields.has('parties') && { parties: fields.list('parties', decodeParty) }),
  };
}

function decodePartyConstraint(value: WireValue, what: string): ConstraintInfo {
  const fields = new Fields(value, what);
  const party = fields.number('party');
  if (fields.has('source'))
    return { ...decodeConstraint(value, what), party, alternative: fields.number('alternative') };
  // Another user's: no more is told of it.
  return { entry: -1, device: '', constraint: fields.string('constraint'), value: '', source: '', party };
}

function decodeWaited(value: WireValue, what: string): WaitedToken {
  const fields = new Fields(value, what);
  return { label: fields.string('label'), state: fields.string('state'), party: fields.number('party') };
}

function decodeParty(value: WireValue, what: string): PartyInfo {
  const fields = new Fields(value, what);
  return {
    party: fields.number('party'),
    inviter: fields.number('inviter'),
    label: fields.string('label'),
    state: fields.string('state'),
    alternative: fields.number('alternative'),
    buffers: fields.number('buffers'),
    ...(fields.has('unit') && { unit: fields.string('unit') }),
  };
}
