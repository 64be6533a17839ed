import { bytesText } from '../numbers.js';
import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';
import { contentText, shortId } from '../value-text.js';

export const allocations: Verb = {
  name: 'allocations',
  summary: 'List what is allocated: your own, or everything for root',
  options: [{ name: 'all', text: "list others' too; polkit asks for an administrator" }],
  async run({ connect, json, out }, args) {
    const all = await (await connect()).allocations(args.flag('all') ? 'others' : 'own');
    if (json) out.json(all);
    else {
      out.table(
        [
          { title: 'ALLOCATION' },
          { title: 'USER', align: 'right' },
          { title: 'SIZE', align: 'right' },
          { title: 'CONTENT', wraps: true },
          { title: 'STATE' },
          { title: 'UNIT', wraps: true },
          { title: 'LABEL', wraps: true },
        ],
        all.map(({ path, user, size, layout, state, unit, label }) => [
          shortId(path),
          String(user),
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
