import { findPool } from '../memory-names.js';
import { bytesText, parseWhole } from '../numbers.js';
import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';

export const setLimit: Verb = {
  name: 'set-limit',
  summary: 'Limit how much of a pool may live at once, until the next reload',
  operands: 'POOL BYTES',
  notes: [
    'POOL is a handle, or what dmabrokerctl pools calls it. BYTES may end in K, M, G or T, powers of 1024.',
  ],
  async run({ connect, json, out }, args) {
    const [name = '', text = ''] = args.operands;
    const limit = parseWhole(text, 'BYTES');
    const broker = await connect();
    const { handle } = await findPool(broker, name);
    await broker.setPoolLimit(handle, limit);
    if (json) out.json({ handle, limit });
    else out.line(`Pool ${handle} may hold ${bytesText(limit)}.`);
    return EXIT.done;
  },
};
