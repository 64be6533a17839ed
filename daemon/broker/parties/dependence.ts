import type { Member } from './party-types.js';
import type { Seat } from './seat.js';

/** Who depends on whom: a party on the one that invited it. */

/** Those that said what they need, in order. Late ones take part as ones that may. */
export const membersOf = (seats: readonly Seat[]): readonly Member[] =>
  seats.flatMap((seat) => {
    const { number, proposal } = seat;
    if (seat.state !== 'answered' || proposal === undefined) return [];
    const above = nearestWithNeeds(seat);
    return {
      number,
      isOptional: seat.part !== 'must',
      proposal,
      ...(seat.group !== undefined && { group: seat.group }),
      ...(above !== undefined && { dependsOn: above.number }),
    };
  });

/** A seat with all those below it. */
export const below = (seats: readonly Seat[], root: Seat): readonly Seat[] =>
  seats.filter((seat) => {
    for (let at: Seat | undefined = seat; at !== undefined; at = at.inviter) if (at === root) return true;
    return false;
  });

/** The nearest seat that others can do without: one that may, is late or is one of several, or else the first party. */
export function domainOf(seat: Seat): Seat {
  let root = seat;
  while (root.inviter !== undefined && root.part === 'must' && root.group === undefined) root = root.inviter;
  return root;
}

/** Parties that left are no condition for those that they invited. */
function nearestWithNeeds(seat: Seat): Seat | undefined {
  let above = seat.inviter;
  while (above?.state === 'left') above = above.inviter;
  return above;
}
