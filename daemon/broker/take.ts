import { BrokerError } from '../../dbus/errors.js';
import { KernelError } from '../kernel/errors.js';
import type { Pool, PoolBuffer, Taken } from '../pools/pool.js';
import { budgetLack, exhausted, GONE, memoryLack, shareLack, type Demand } from './choose.js';

/**
 * Buffers with the pool that gave them. The caller records them, or gives them back to the pool. Where a client's buffer has
 * several descriptors, each is one of the pool's buffers, and they stand one after the other.
 */
export interface Provision {
  readonly pool: Pool;
  readonly buffers: readonly PoolBuffer[];
}

/**
 * Takes the buffers from the first pool that has them; a full pool, and one that is closed meanwhile, falls to the next.
 * @param pools best first
 * @param failed told of a pool that failed for another reason than a lack; the next is tried all the same
 * @throws {BrokerError} PoolExhausted, Unavailable, or Internal when a heap failed and no other had room
 */
export async function take(
  pools: readonly Pool[],
  demand: Demand,
  failed: (pool: Pool, error: unknown) => void,
): Promise<Provision> {
  const lacks: string[] = [];
  const failures: unknown[] = [];
  for (const pool of pools) {
    try {
      const taken = await takeFrom(pool, demand);
      if (taken.ok && !pool.closed) return { pool, buffers: taken.buffers };
      if (taken.ok) giveBack({ pool, buffers: taken.buffers });
      else if (!pool.closed) lacks.push(LACKS[taken.lacks](pool, demand));
    } catch (cause) {
      if (pool.closed) continue;
      if (outOfDescriptors(cause)) {
        throw new BrokerError('Unavailable', 'The service has no file descriptor left; try again later.', {
          cause,
        });
      }
      failures.push(cause);
      failed(pool, cause);
    }
  }
  if (failures.length > 0)
    throw new BrokerError('Internal', 'The memory could not be allocated.', { cause: failures[0] });
  const { code, text } = lacks.length === 0 ? GONE : exhausted(lacks);
  throw new BrokerError(code, text);
}

async function takeFrom(pool: Pool, demand: Demand): Promise<Taken> {
  const { size, fdSizes, count, requester, pictureIn } = demand;
  if (fdSizes === undefined) return pool.take(size, count, requester, pictureIn?.(pool));
  const taken: (readonly PoolBuffer[])[] = [];
  const undo = (): void => {
    giveBack({ pool, buffers: taken.flat() });
  };
  try {
    for (const bytes of fdSizes) {
      const more = await pool.take(bytes, count, requester);
      if (more.ok) {
        taken.push(more.buffers);
        continue;
      }
      undo();
      return more;
    }
  } catch (error) {
    undo();
    throw error;
  }
  const buffers = Array.from({ length: count }, (_, index) => taken.flatMap((of) => of[index] ?? [])).flat();
  return { ok: true, buffers };
}

const LACKS = { budget: budgetLack, memory: memoryLack, share: shareLack } as const;

/** Gives taken buffers back. */
export function giveBack({ pool, buffers }: Provision): void {
  for (const buffer of buffers) pool.free(buffer);
}

const outOfDescriptors = (error: unknown): boolean =>
  error instanceof KernelError && (error.code === 'EMFILE' || error.code === 'ENFILE');
