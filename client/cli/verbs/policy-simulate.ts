import { POLICY, readPolicy, readMachines, ROOT } from '../policy/offline.js';
import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';
import { writeTo } from '../output.js';

export const policySimulate: Verb = {
  name: 'policy simulate',
  summary: 'Show what policy makes of machines: pools, how many pictures fit, and what lacks',
  operands: '[PROFILE…]',
  options: [
    POLICY,
    ROOT,
    { name: 'svg', value: 'FILE', text: 'draw the machines side by side into this file' },
  ],
  notes: [
    'A profile is what dmabrokerctl record writes on a machine, or the daemon reads with --profile; without one, this ' +
      'machine is shown. It needs no broker, and changes nothing: try a policy before you ship it.',
  ],
  async run(context, args) {
    const { simulate } = await import('../../../daemon/sizing/simulate.js');
    const { printSimulations, simulationJson } = await import('../policy/report.js');
    const policy = await readPolicy(context, args);
    for (const warning of policy.warnings) context.warn(warning);
    const simulated = (await readMachines(args.operands, args)).map(({ name, inventory }) => ({
      name,
      simulation: simulate(inventory, policy),
    }));
    const file = args.text('svg');
    if (file !== undefined) {
      const { drawSimulations } = await import('../policy/picture.js');
      await writeTo(file, drawSimulations(simulated));
      context.warn(`wrote ${file}`);
    }
    if (context.json) context.out.json(simulated.map(simulationJson));
    else printSimulations(context.out, simulated);
    return EXIT.done;
  },
};
