import { findPool } from '../memory-names.js';
import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';
import { plainText } from '../value-text.js';

export const reveal: Verb = {
  name: 'reveal',
  summary: "Tell which of the kernel's heaps is behind a pool",
  operands: 'POOL',
  notes: ['POOL is a handle, or what dmabrokerctl pools calls it.'],
  async run({ connect, json, out }, args) {
    const [name = ''] = args.operands;
    const broker = await connect();
    const { handle } = await findPool(broker, name);
    const details = await broker.reveal(handle);
    if (json) out.json({ handle, ...details });
    else out.pairs(Object.entries(details).map(([key, value]) => [key, [plainText(value)]]));
    return EXIT.done;
  },
};
