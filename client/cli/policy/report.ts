import { amountText } from '../../../daemon/sizing/amount.js';
import type { Fit } from '../../../daemon/sizing/fit.js';
import type { PoolPlan } from '../../../daemon/sizing/plan.js';
import type { Simulation } from '../../../daemon/sizing/simulate.js';
import { access } from '../../../daemon/policy/access-list.js';
import type { PolicyValue } from '../../../daemon/policy/policy.js';
import { timeSpan } from '../../../daemon/policy/time-span.js';
import type { Output } from '../output.js';

/** A machine and what policy makes of it. */
export interface Simulated {
  readonly name: string;
  readonly simulation: Simulation;
}

/** Where a value stands, for a person: `FILE:LINE`, or `built-in`. */
export const placeText = (source: string): string => source.replace(/^policy:/, '');

/** A part of the whole in tenths of a percent: `7.9 %`. */
export function percentText(part: bigint, whole: bigint): string {
  const tenths = whole === 0n ? 0n : (part * 1000n + whole / 2n) / whole;
  return `${tenths / 10n}.${tenths % 10n} %`;
}

/** The tables of `policy simulate`. */
export function printSimulations(out: Output, simulated: readonly Simulated[]): void {
  out.table(
    [
      { title: 'MACHINE', wraps: true },
      { title: 'POOL' },
      { title: 'HEAP', wraps: true },
      { title: 'LIMIT', align: 'right' },
      { title: 'OF RAM', align: 'right' },
      { title: 'WARM', align: 'right' },
      { title: 'SOURCE', wraps: true },
    ],
    simulated.flatMap(poolRows),
  );
  out.line();
  out.table(
    [
      { title: 'MACHINE', wraps: true },
      { title: 'PICTURES OF' },
      { title: 'SIZE' },
      { title: 'FORMAT', wraps: true },
      { title: 'EACH', align: 'right' },
      { title: 'ASKED', align: 'right' },
      { title: 'HELD', align: 'right' },
      { title: 'FIT ALONE', align: 'right' },
      { title: 'IN', wraps: true },
    ],
    simulated.flatMap(({ name, simulation }) => simulation.fits.map((fit) => [name, ...fitCells(fit)])),
    (text, row, column) => {
      const fit = simulated.flatMap(({ simulation }) => simulation.fits)[row];
      return column === HELD && fit !== undefined && lacks(fit) ? out.colour('red', text) : text;
    },
  );
  const lacking = simulated.flatMap(({ name, simulation }) =>
    simulation.shortfalls.map(({ text }) => [name, text]),
  );
  if (lacking.length > 0) {
    out.line();
    out.table(
      [
        { title: 'MACHINE', wraps: true },
        { title: 'LACKS', wraps: true },
      ],
      lacking,
    );
  }
}

const HELD = 6;

const lacks = ({ requirement, held }: Fit): boolean => held < BigInt(requirement.frames.value);

function poolRows({ name, simulation }: Simulated): readonly (readonly string[])[] {
  const { plans, inventory, handOut } = simulation;
  const { value: ram } = inventory.machine.ram;
  return [
    ...plans.map(({ heap, class: memoryClass, limit, warm }) => [
      name,
      memoryClass,
      heap.id,
      amountText(limit.value),
      percentText(limit.value, ram),
      amountText(warm.value),
      placeText(limit.source),
    ]),
    [name, 'together', '', amountText(handOut), percentText(handOut, ram), '', `${amountText(ram)} of RAM`],
  ];
}

const fitCells = ({ requirement, groups, alone, held }: Fit): readonly string[] => [
  `${requirement.kind} ${requirement.name}`,
  `${requirement.frame.width}×${requirement.frame.height}`,
  requirement.frame.format,
  amountText(requirement.frame.bytes),
  String(requirement.frames.value),
  String(held),
  String(alone),
  groups.length === 0 ? 'nothing' : [...new Set(groups.map((group) => group.class))].join(', '),
];

/** The stable form of a simulation. Bytes; idle in milliseconds, or `infinity`; shares are of RAM. */
export function simulationJson({ name, simulation }: Simulated) {
  const { inventory, plans, fits, shortfalls, handOut, maxBuffer, warnings } = simulation;
  const { value: ram } = inventory.machine.ram;
  return {
    name,
    machine: inventory.machine.name,
    ram,
    handOut,
    share: shareOf(handOut, ram),
    maxBuffer,
    pools: plans.map((plan) => poolJson(plan, ram)),
    pictures: fits.map(({ requirement, groups, alone, held }) => ({
      kind: requirement.kind,
      name: requirement.name,
      device: requirement.device.node,
      ...requirement.frame,
      asked: requirement.frames.value,
      source: requirement.frames.source,
      held,
      fitAlone: alone,
      classes: [...new Set(groups.map((group) => group.class))],
    })),
    shortfalls,
    warnings,
  };
}

const poolJson = (plan: PoolPlan, ram: bigint) => ({
  class: plan.class,
  heap: plan.heap.id,
  ...(plan.heap.capacity && { capacity: plan.heap.capacity.value }),
  limit: plan.limit,
  share: shareOf(plan.limit.value, ram),
  warm: plan.warm,
  idle: {
    ...plan.idle,
    value: Number.isFinite(plan.idle.value) ? plan.idle.value : timeSpan.print(plan.idle.value),
  },
  access: printed(plan.access, (value) => access.print(value)),
});

const printed = <T>({ value, source }: PolicyValue<T>, print: (value: T) => string) => ({
  value: print(value),
  source,
});

/** In ten-thousandths, so that the number is short and always the same. */
const shareOf = (part: bigint, whole: bigint): number =>
  whole === 0n ? 0 : Number((part * 10_000n + whole / 2n) / whole) / 10_000;
