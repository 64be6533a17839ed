import { bytesText } from '../numbers.js';
import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';
import { contentText, idOf } from '../words.js';

export const allocations: Verb = {
  name: 'allocations',
  summary: 'List what is allocated: your own, or everything for an administrator',
  async run({ connect, json, out }) {
    const all = await (await connect()).allocations();
    if (json) out.json(all);
    else {
      out.table(
        [
          { title: 'ALLOCATION' },
          { title: 'USER', align: 'right' },
          { title: 'OWNER' },
          { title: 'SIZE', align: 'right' },
          { title: 'CONTENT', wraps: true },
          { title: 'STATE' },
          { title: 'UNIT', wraps: true },
          { title: 'LABEL', wraps: true },
        ],
        all.map(({ path, user, owner, size, layout, state, unit, label }) => [
          idOf(path),
          String(user),
          owner,
          bytesText(size),
          `${layout.count} × ${contentText(layout)}`,
          state,
          unit,
          label,
        ]),
      );
    }
    return EXIT.done;
  },
};
