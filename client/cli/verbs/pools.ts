import { poolName } from '../memory-names.js';
import { bytesText } from '../numbers.js';
import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';

export const pools: Verb = {
  name: 'pools',
  summary: 'List the pools of memory, and how full they are',
  async run({ connect, json, out }) {
    const all = await (await connect()).pools();
    if (json) out.json(all);
    else {
      out.table(
        [
          { title: 'POOL' },
          { title: 'HANDLE' },
          { title: 'LIVE', align: 'right' },
          { title: 'LIMIT', align: 'right' },
          { title: 'WARM', align: 'right' },
          { title: 'HITS', align: 'right' },
          { title: 'MISSES', align: 'right' },
        ],
        all.map((pool) => [
          poolName(pool, all),
          pool.handle,
          bytesText(pool.live),
          bytesText(pool.limit),
          bytesText(pool.warm),
          String(pool.hits),
          String(pool.misses),
        ]),
      );
    }
    return EXIT.done;
  },
};
