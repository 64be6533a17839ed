// A program of its own: opens every card again and again, becomes its master, and says how often that did not work.
import { readdirSync } from 'node:fs';

import { KernelError } from '../../../daemon/kernel/errors.js';
import { io, ioctl } from '../../../daemon/kernel/ioctl.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';

const DRM_IOCTL_SET_MASTER = io('DRM_IOCTL_SET_MASTER', 'd', 0x1e);
const [rounds = '100'] = process.argv.slice(2);

/** A node is master between its open and the call that gives that up, which nothing in the kernel makes one. */
const TRIES = 3;

const refused: string[] = [];
let again = 0;
const cards = readdirSync('/dev/dri').filter((name) => name.startsWith('card'));
for (let round = 0; round < Number(rounds); round++)
  for (const card of cards) {
    using node = memoryCalls.openNode(`/dev/dri/${card}`);
    for (let attempt = 1; ; attempt++) {
      try {
        ioctl(DRM_IOCTL_SET_MASTER, node.number, null);
        break;
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        if (error.code !== 'EBUSY' || attempt === TRIES) {
          refused.push(`${card} in round ${round}: ${error.code}`);
          break;
        }
        again += 1;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Others get to run, as between two compositors.
    await new Promise((resolve) => setImmediate(resolve));
  }
process.stdout.write(`${JSON.stringify({ rounds: Number(rounds), cards, again, refused })}\n`);
