import { CPU_DEVICE } from '../../daemon/devices/cpu.js';
import type { Device } from '../../daemon/devices/inventory.js';
import { entry, makeRig, OWNER } from '../daemon/broker/rig.js';
import { GPU, machine } from '../daemon/machine.js';
import type { BenchStand } from './bench-stand.js';
import type { Measure } from './figures.js';
import { inTurns } from './over-the-bus.js';

const PARTICIPANTS = 4;
const TURN = 50;
const WARM_UP = 2000;

/** Fourccs that have a layout here. */
const FORMATS = [
  ...['XR24', 'AR24', 'XB24', 'AB24', 'RX24', 'RA24', 'BX24', 'BA24', 'RG24', 'BG24'],
  ...['RG16', 'BG16', 'XR30', 'AR30', 'XB30', 'AB30', 'NV12', 'NV21', 'YU12', 'YUYV'],
] as const;

/** How much a device can do. */
interface Skill {
  readonly formats: number;
  /** Of each format. */
  readonly modifiers: number;
}

/** A GPU that takes so many formats with so many modifiers each. */
const device = (index: number, { formats, modifiers }: Skill): Device => ({
  ...GPU,
  node: `/dev/dri/card${index}`,
  otherNodes: [],
  number: `226:${index}`,
  otherNumbers: [],
  formats: FORMATS.slice(0, formats).map((format) => ({
    format,
    modifiers: Array.from({ length: modifiers }, (_, i) => (i === 0 ? 0n : 0x0100000000000000n + BigInt(i))),
    uses: ['scanout', 'render'],
    source: 'kernel:IN_FORMATS',
  })),
});

/**
 * Decides anew, as for a request that never came before, for some of the machine's devices.
 * @returns nanoseconds of each
 */
function decider(
  skill: Skill,
  { devices: present = PARTICIPANTS, participants = PARTICIPANTS } = {},
): (rounds: number) => Promise<readonly number[]> {
  const devices = Array.from({ length: present }, (_, i) => device(i, skill));
  const { broker } = makeRig({ inventory: machine(undefined, [CPU_DEVICE, ...devices]) });
  const owner = { ...OWNER, uid: 0 };
  return async (rounds) => {
    const taken: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const entries = devices.slice(0, participants).map(({ node }) => entry(node, { uses: ['render'] }));
      const request = { entries, content: { format: 'XR24', width: 1920, height: 1080 } } as const;
      const start = process.hrtime.bigint();
      await broker.explain(owner, request);
      taken.push(Number(process.hrtime.bigint() - start));
    }
    return taken;
  };
}

const POOR: Skill = { formats: 10, modifiers: 1 };
const RICH: Skill = { formats: FORMATS.length, modifiers: 100 };

/** The solver alone, without a bus, beside what a call over the bus costs. */
export function inProcess({ load }: BenchStand, rounds: number): readonly Measure[] {
  const [small, large] = [
    decider({ formats: 1, modifiers: 8 }),
    decider({ formats: FORMATS.length, modifiers: 8 }),
  ];
  const [poor, rich] = [
    decider(POOR, { devices: 1, participants: 1 }),
    decider(RICH, { devices: 64, participants: 1 }),
  ];
  const turns = Math.ceil(rounds / TURN);
  const empty = (): Promise<readonly number[]> => load.run(`empty ${TURN}`);
  const measure = (name: string, against: string, target: number, ours: Side, baseline: Side): Measure => ({
    name,
    against,
    target,
    take: async () => {
      for (const decide of [small, large, poor, rich]) await decide(WARM_UP);
      return inTurns(turns, ours, baseline);
    },
  });
  const call = 'an empty call of a C service';
  return [
    measure('decide anew, 4 devices, 8 pairs each', call, 0.8, () => small(TURN), empty),
    measure('decide anew, 4 devices, 160 pairs each', call, 1, () => large(TURN), empty),
    measure(
      'the same',
      '8 pairs each',
      20,
      () => large(TURN),
      () => small(TURN),
    ),
    measure(
      'decide anew, one of 64 devices of 2,000 pairs each',
      'the one device there is, of 10 pairs',
      1.5,
      () => rich(TURN),
      () => poor(TURN),
    ),
  ];
}

type Side = () => Promise<readonly number[]>;
