import { POLICY, readPolicy, ROOT } from '../policy/offline.js';
import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';

export const policyCheck: Verb = {
  name: 'policy check',
  summary: 'Read the policy files, and say what does not count, where it stands and what may be meant',
  options: [POLICY, ROOT],
  notes: ['Ends with 1 when there is anything to say. It needs no broker.'],
  async run(context, args) {
    const { files, warnings } = await readPolicy(context, args);
    if (context.json) context.out.json({ files, warnings });
    else if (warnings.length === 0) context.out.line(`Nothing is wrong in ${files.length} files.`);
    else for (const warning of warnings) context.out.line(warning);
    return warnings.length === 0 ? EXIT.done : EXIT.refused;
  },
};
