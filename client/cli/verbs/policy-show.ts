import { POLICY, readPolicy, readMachines, ROOT } from '../policy/offline.js';
import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';

export const policyShow: Verb = {
  name: 'policy show',
  summary: 'Show what policy says, with file and line, and what it comes to on this machine',
  operands: '[PROFILE]',
  options: [POLICY, ROOT],
  notes: [
    'It reads the files that the broker would read, and needs no broker: what a running one works with is what the ' +
      'files said when it read them last. With a profile, that machine is shown instead of this one.',
  ],
  async run(context, args) {
    const { showPolicy, printShown } = await import('../policy/show.js');
    const policy = await readPolicy(context, args);
    for (const warning of policy.warnings) context.warn(warning);
    const [subject] = await readMachines(args.operands, args);
    if (subject === undefined) return EXIT.refused;
    const shown = showPolicy(policy, subject.inventory);
    if (context.json) context.out.json(shown);
    else printShown(context.out, shown);
    return EXIT.done;
  },
};
