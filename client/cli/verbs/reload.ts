import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';

export const reload: Verb = {
  name: 'reload',
  summary: 'Have the broker read its policy again',
  async run({ connect, json, out }) {
    const broker = await connect();
    await broker.reload();
    const { policyFiles, warnings } = await broker.status();
    if (json) out.json({ policyFiles, warnings });
    else {
      out.line(`Read ${policyFiles.length} policy files.`);
      for (const warning of warnings) out.line(warning);
    }
    return EXIT.done;
  },
};
