import type { WireDict, WireValue } from '../../dbus/connection/bus-types.js';
import { list, record, unsigned } from '../check.js';
import type { CollectionRequest, InviteOptions, Needs, NegotiateOptions } from '../negotiation.js';
import type { DeviceRequest } from '../request.js';
import { encodeDevices, encodeKeys } from './encode.js';
import { COLLECTION_KEYS, INVITE_KEYS, NEEDS_KEYS, NEGOTIATE_KEYS } from './keys.js';

/** The arguments of negotiation in the contract's form. Everything here throws DmabrokerError InvalidRequest. */

/** For `Negotiate` and `Renew` (`a{sv}a{sv}`). */
export const encodeCollection = (
  buffer: CollectionRequest,
  options: NegotiateOptions,
): readonly WireValue[] => [
  encodeKeys(COLLECTION_KEYS, record(buffer, 'buffer'), 'buffer.'),
  encodeKeys(NEGOTIATE_KEYS, record(options, 'options'), 'options.'),
];

/** For `Invite` (`ua{sv}`). @param oneOf whether one of the tokens takes part, and not each */
export function encodeInvite(count: number, options: InviteOptions, oneOf: boolean): readonly WireValue[] {
  const group: WireDict = oneOf ? [['one-of', { signature: 'b', value: true }]] : [];
  return [
    Number(unsigned(count, 32n, 'count')),
    [...encodeKeys(INVITE_KEYS, record(options, 'options'), 'options.'), ...group],
  ];
}

/** For `Constrain` (`aa(sa{sv})a{sv}`). */
export const encodeNeeds = (
  alternatives: readonly (readonly DeviceRequest[])[],
  needs: Needs,
): readonly WireValue[] => [
  list(alternatives, 'alternatives', encodeDevices),
  encodeKeys(NEEDS_KEYS, record(needs, 'needs'), 'needs.'),
];
