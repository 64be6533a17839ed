import type { Constraint, Origin } from '../constraints/types.js';
import type { Participant } from './admit.js';

/** The limits that a client gave one participant. `false` asks for nothing. */
export function clientConstraints({ entry, device, limits }: Participant): readonly Constraint[] {
  const origin: Origin = { entry, device: device.node, source: 'client' };
  return Object.entries(limits)
    .filter(([, value]) => value !== false)
    .map(([kind, value]) => ({ kind, value, origin }) as Constraint);
}
