/** `npm run bench`: what the service costs, each figure beside a baseline of the same run. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { busKinds } from '../harness/private-bus.js';
import { BenchStand } from './bench-stand.js';
import { drawCurves } from './curve-picture.js';
import { counted, curveName, curveOf, curveTable, type Curve } from './curve.js';
import { nodeFloor, sameAnswers } from './floors.js';
import { figureOf, machineFacts, table, times, type Figure, type Measure, type Run } from './figures.js';
import { growthCurves } from './growth.js';
import { inProcess } from './in-process.js';
import { loopDelay } from './loop-delay.js';
import { onOneProcessor } from './one-processor.js';
import { AMONG_COLLECTIONS, amongCollections, negotiation } from './negotiation.js';
import { besideC, overTheBus, warmUp } from './over-the-bus.js';
import { crowd, crowdName, crowdSize } from './scale.js';
import { decidedBefore, sizedCurves } from './sized-curves.js';

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    svg: { type: 'string' },
    rounds: { type: 'string', default: '1000' },
    only: { type: 'string', default: '' },
  },
});
const rounds = Number(options.rounds);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const isWanted = ({ name }: Pick<Measure, 'name'>): boolean => name.includes(options.only);

const run: Run = {
  date: new Date().toISOString(),
  machine: machineFacts(),
  ...(options.svg === undefined
    ? { figures: await measureAll() }
    : { figures: [], curves: await measureCurves() }),
};
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(run, undefined, 2)}\n`);
for (const [name, value] of Object.entries(run.machine)) say(`${name}: ${value}`);
if (run.curves === undefined) say(table(run.figures));
for (const curve of run.curves ?? []) say(`\n${curveTable(curve)}`);
if (options.svg !== undefined) {
  const { processor = '', kernel = '', node = '' } = run.machine;
  const origin = `${processor}, Linux ${kernel}, Node.js ${node}, ${run.date.slice(0, 10)}`;
  writeFileSync(options.svg, drawCurves(run.curves ?? [], origin));
}

async function measureAll(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const measure = async (measures: readonly Measure[]): Promise<void> => {
    for (const one of measures.filter(isWanted)) {
      say(`measuring: ${one.name}`);
      figures.push(figureOf(one, await one.take()));
    }
  };
  await using quiet = await BenchStand.set();
  await warmUp(quiet);
  await measure(inProcess(quiet, rounds));
  await measure([decidedBefore(rounds)]);
  await measure(overTheBus(quiet, rounds));
  await measure(negotiation(quiet, rounds));
  if (isWanted({ name: AMONG_COLLECTIONS })) {
    await using busy = await BenchStand.set();
    await warmUp(busy);
    await measure([amongCollections(quiet, busy)]);
  }
  const floors = [...sameAnswers(quiet, rounds), ...nodeFloor(quiet, rounds)];
  await measure(floors);
  await measure(onOneProcessor(quiet, [...besideC(quiet, rounds), ...floors]));
  await measure([loopDelay()]);
  await inCrowd(measure);
  return figures;
}

/** On every bus that there is, as a bus can have a cost of its own for each client. */
async function inCrowd(measure: (measures: readonly Measure[]) => Promise<void>): Promise<void> {
  const live = crowdSize();
  for (const bus of busKinds()) {
    if (!isWanted({ name: crowdName(live, bus) })) continue;
    await using quiet = await BenchStand.set({ bus });
    await using busy = await BenchStand.set({ bus });
    for (const stand of [quiet, busy]) await warmUp(stand);
    await measure(crowd(quiet, busy, live, bus));
  }
}

async function measureCurves(): Promise<readonly Curve[]> {
  const curves: Curve[] = [];
  for (const plan of [...growthCurves(), ...sizedCurves(rounds)]) {
    const name = curveName(plan);
    if (!isWanted({ name })) continue;
    say(`measuring: ${name}`);
    const curve = await curveOf(plan, ({ size, ratio }) => {
      say(`  ${counted(size)}: ${times(ratio)}`);
    });
    curves.push(curve);
  }
  return curves;
}
