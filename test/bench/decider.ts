import { entry, makeRig, OWNER } from '../daemon/broker/rig.js';
import { machineWith, sizedDevices, type Skill } from './sized-machine.js';
import type { Side } from './turns.js';

const PARTICIPANTS = 4;
/** Decisions before anything is measured, until they are compiled code. */
const WARM_UP = 2000;
/** Decisions of one side before it is the other's turn. */
const TURN = 50;

/** Decides anew, in this process, as for a request that never came before. */
export interface Decider {
  /** @returns nanoseconds of each decision of a turn */
  readonly turn: Side;
  warmUp(): Promise<void>;
}

/**
 * One that decides for some of a machine's devices; all of them are alike.
 * @param lists whether every entry lists all that its device takes, so that there is a choice between tiles
 */
export function decider(
  skill: Skill,
  { devices: present = PARTICIPANTS, participants = PARTICIPANTS, lists = false } = {},
): Decider {
  const devices = sizedDevices(present, skill);
  const { broker } = makeRig({ inventory: machineWith(devices) });
  const owner = { ...OWNER, uid: 0 };
  const decide = async (rounds: number): Promise<readonly number[]> => {
    const taken: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const entries = devices
        .slice(0, participants)
        .map(({ node, formats }) => entry(node, { uses: ['render'], ...(lists && { formats }) }));
      const request = { entries, content: { format: 'XR24', width: 1920, height: 1080 } } as const;
      const start = process.hrtime.bigint();
      await broker.explain(owner, request);
      taken.push(Number(process.hrtime.bigint() - start));
    }
    return taken;
  };
  return {
    turn: () => decide(TURN),
    warmUp: async () => {
      await decide(WARM_UP);
    },
  };
}

/** Turns in which a decider makes at least so many decisions. */
export const turnsOf = (rounds: number): number => Math.ceil(rounds / TURN);
