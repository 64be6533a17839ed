/** `npm run bench`: what the service costs, each figure beside a baseline of the same run. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { BenchStand } from './bench-stand.js';
import { figureOf, machineFacts, table, type Figure, type Measure, type Run } from './figures.js';
import { inProcess } from './in-process.js';
import { loopDelay } from './loop-delay.js';
import { nodeFloor } from './node-floor.js';
import { overTheBus, warmUp } from './over-the-bus.js';
import { crowd, crowdName, crowdSize } from './scale.js';

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    rounds: { type: 'string', default: '1000' },
    only: { type: 'string', default: '' },
  },
});
const rounds = Number(options.rounds);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const figures: Figure[] = [];
async function measure(measures: readonly Measure[]): Promise<void> {
  for (const one of measures.filter(isWanted)) {
    say(`measuring: ${one.name}`);
    figures.push(figureOf(one, await one.take()));
  }
}
const isWanted = ({ name }: Pick<Measure, 'name'>): boolean => name.includes(options.only);

{
  await using quiet = await BenchStand.set();
  await warmUp(quiet);
  await measure(inProcess(quiet, rounds));
  await measure(overTheBus(quiet, rounds));
  await measure(nodeFloor(quiet, rounds));
  await measure([loopDelay()]);
  const live = crowdSize();
  if (isWanted({ name: crowdName(live) })) {
    await using busy = await BenchStand.set();
    await warmUp(busy);
    await measure([crowd(quiet, busy, live)]);
  }
}
const run: Run = { date: new Date().toISOString(), machine: machineFacts(), figures };
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(run, undefined, 2)}\n`);
for (const [name, value] of Object.entries(run.machine)) say(`${name}: ${value}`);
say(table(figures));
