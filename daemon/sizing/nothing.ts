import type { Inventory } from '../devices/inventory.js';
import type { PolicyValue } from '../policy/policy.js';
import { NOTHING } from './nothing-text.js';
import { allowPlain, LOAD_UDMABUF } from './remedies.js';
import type { Shortfall } from './shortfalls.js';

/**
 * That there is no memory to hand out but plain memory, which policy keeps.
 * @param plain policy's word on plain memory
 */
export function nothingToHandOut({ heaps }: Inventory, plain: PolicyValue<boolean>): Shortfall {
  const isClosed = heaps.some(({ kind, usable }) => kind !== 'memfd' && !usable);
  const why = isClosed
    ? 'the broker may open none of the heaps that the kernel has'
    : 'the kernel has no heap, or policy uses none';
  const mend = isClosed
    ? `start it as its service, which may (systemctl start dmabrokerd), or for programs alone ${allowPlain}`
    : `${LOAD_UDMABUF}, or for programs alone ${allowPlain}`;
  const lack = `${why}, and plain memory is kept (PlainOnSystemBus=no, ${plain.source})`;
  return {
    class: 'scattered',
    asked: 1n,
    available: 0n,
    text: `${NOTHING}: ${lack}: ${mend}`,
    mend,
  };
}
