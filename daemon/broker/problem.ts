import { BrokerError } from '../../dbus/errors.js';
import type { Constraint } from '../constraints/types.js';
import { deviceConstraints, type AskedImage } from '../devices/device-constraints.js';
import { reachConstraints } from '../devices/reach.js';
import { admit, type Admitted, type Participant } from './admit.js';
import { clientConstraints } from './client-constraints.js';
import { countBuffers } from './count.js';
import type { Posed } from './decisions.js';
import type { NewRequest } from './types.js';
import type { World } from './world.js';

/**
 * Makes the problem of a request: everything that devices, policy, the client and the request itself say.
 * @throws {BrokerError} for what is wrong with the request itself, and Unavailable when there is no memory at all
 */
export function pose(request: NewRequest, world: World): Posed {
  const admitted = admit(request, world.index);
  const { memories } = world;
  if (memories.length === 0) {
    throw new BrokerError(
      'Unavailable',
      'The service has no memory to give: no heap can be used, or policy uses none.',
    );
  }
  const given = constraintsOf(admitted, world);
  const { count, constraint } = countBuffers(request, given);
  const constraints = constraint === undefined ? given : [...given, constraint];
  return { problem: { content: admitted.content, constraints, memories }, count };
}

function constraintsOf({ participants, content, modifiers }: Admitted, world: World): readonly Constraint[] {
  const image = 'format' in content ? { ...content, format: content.format.fourcc } : undefined;
  const given = participants.flatMap((participant) => participantConstraints(participant, image, world));
  if (modifiers === undefined) return given;
  return [
    ...given,
    { kind: 'modifiers', value: modifiers, origin: { entry: -1, device: '', source: 'request' } },
  ];
}

function participantConstraints(
  participant: Participant,
  image: AskedImage | undefined,
  world: World,
): readonly Constraint[] {
  const { entry, device, uses } = participant;
  const { rules, reach } = world.standing(device);
  return [
    ...deviceConstraints(device, uses, rules, entry, image),
    ...reachConstraints(device, entry, reach, uses, world.handles),
    ...clientConstraints(participant),
  ];
}
