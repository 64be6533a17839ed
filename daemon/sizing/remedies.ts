import type { MemoryClass } from '../../dbus/names.js';
import type { Inventory } from '../devices/inventory.js';
import type { Policy } from '../policy/policy.js';
import { cmaFor, reserve } from './cma.js';
import type { BudgetGroup } from './budget-groups.js';

const MIB = 1n << 20n;

/** Where an administrator's own lines go. */
const LOCAL_POLICY = '/etc/dmabroker/dmabroker.conf.d/60-local.conf';

/** In whole MiB, rounded up. */
const mib = (bytes: bigint): string => `${(bytes + MIB - 1n) / MIB}`;

/** How to let more of a class be handed out. */
const allowMore = (memoryClass: MemoryClass, bytes: bigint): string =>
  `put \`Limit=${mib(bytes)}M\` under [Pool ${memoryClass}] in ${LOCAL_POLICY}`;

/** How to let one buffer be larger. */
export const allowLarger = (bytes: bigint): string =>
  `put \`MaxBuffer=${mib(bytes)}M\` under [Broker] in ${LOCAL_POLICY}`;

/** How to let plain memory be handed out. */
export const allowPlain = `put \`PlainOnSystemBus=yes\` under [Broker] in ${LOCAL_POLICY}`;

/** How to let udmabuf make a buffer. */
const allowLargerUdmabuf = (bytes: bigint): string =>
  `put \`options udmabuf size_limit_mb=${mib(bytes)}\` into /etc/modprobe.d/udmabuf.conf`;

export const LOAD_UDMABUF = 'load the module udmabuf (`modprobe udmabuf`)';

/** What must be known of the machine. */
interface Facts {
  readonly inventory: Inventory;
  readonly policy: Policy;
}

/**
 * What lets a class hold so many bytes.
 * @param group where they would be; undefined when there is no such memory in reach
 * @param largest bytes of the largest buffer among them
 * @returns undefined where it is not known
 */
export function remedyOf(
  memoryClass: MemoryClass,
  asked: bigint,
  group: BudgetGroup | undefined,
  largest: bigint,
  facts: Facts,
): string | undefined {
  const { inventory } = facts;
  if (asked > inventory.machine.ram.value / 2n) return undefined;
  if (memoryClass === 'contiguous') return contiguousRemedy(asked, group, facts);
  if (group !== undefined) return allowMore(memoryClass, asked);
  if (memoryClass !== 'scattered') return undefined;
  const udmabuf = inventory.heaps.find(({ kind }) => kind === 'udmabuf');
  if (udmabuf === undefined) return LOAD_UDMABUF;
  return largest > (udmabuf.maxBuffer?.value ?? largest) ? allowLargerUdmabuf(largest) : undefined;
}

/** More memory where that is enough, more of it to hand out where it is not, or both. */
export function contiguousRemedy(
  asked: bigint,
  group: BudgetGroup | undefined,
  { inventory, policy }: Facts,
): string | undefined {
  const heaps = inventory.heaps.filter((heap) => heap.class.value === 'contiguous');
  if (group === undefined && heaps.length > 0) return undefined;
  const size = cmaFor(asked, inventory, policy);
  if (size !== undefined && size > (group?.capacity ?? 0n)) return reserve(size, inventory.machine);
  const limit = allowMore('contiguous', asked);
  if (group?.capacity === undefined || group.capacity >= asked) return limit;
  const least = cmaFor(asked, inventory, unlimited(policy));
  return least === undefined ? undefined : `${reserve(least, inventory.machine)}, and ${limit}`;
}

/** The policy when its limit of contiguous memory is all that there is. */
const unlimited = (policy: Policy): Policy => ({
  ...policy,
  pool: (memoryClass, context) => ({
    ...policy.pool(memoryClass, context),
    limit: { value: context.heap ?? context.ram, source: '' },
  }),
});
