import { setTimeout as patience } from 'node:timers/promises';

import { Attacker, type Case } from './attacker.js';
import { CONNECTIONS } from './connections.js';
import { FLOODS } from './floods.js';
import { IMPOSTORS } from './impostors.js';
import { ROWS, unheard, UNHEARD } from './messages.js';

/** Milliseconds in which an attack ends and the daemon answers somebody new. */
const PATIENCE = 60_000;

/** Every hostile client there is. */
export const CASES: readonly Case[] = [
  ...CONNECTIONS,
  ...FLOODS,
  ...IMPOSTORS,
  ...ROWS.map(([title, message]): Case => ({
    title: `sends ${title}`,
    attack: async (attacker) => attacker.send(await attacker.connect(), [message]),
  })),
  ...UNHEARD.map(([kind, what, type, signature, body]): Case => ({
    title: `sends ${kind} with ${what}`,
    attack: async (attacker) =>
      attacker.send(await attacker.connect(), [unheard(type, signature, body, attacker.target)]),
  })),
];

/** An attack that is over. */
export interface Attack {
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly begin: number;
  readonly end: number;
}

/** What the program of the hostile clients is told (`test/vm/rig/hostile.ts`). */
export interface Orders {
  readonly address: string;
  /** Unique name of the daemon. */
  readonly target: string;
  /** Of those that attack; all when absent. */
  readonly titles?: readonly string[];
}

/**
 * Runs them one after the other, as the user that this process is. After each the daemon answers somebody new.
 * @throws {Error} naming the client after which it did not
 */
export async function runAll({ address, target, titles }: Orders): Promise<readonly Attack[]> {
  const attacks: Attack[] = [];
  for (const { title, attack } of CASES) {
    if (titles?.includes(title) === false) continue;
    const begin = Date.now();
    const end = new AbortController();
    const late = patience(PATIENCE, 'late', { signal: end.signal });
    late.catch(() => undefined);
    using attacker = new Attacker(address, target);
    try {
      const outcome = await Promise.race([attack(attacker).then(() => attacker.settled()), late]);
      if (outcome === 'late') throw new Error(`no answer within ${PATIENCE} ms`);
    } catch (cause) {
      throw new Error(`after a client that ${title}`, { cause });
    } finally {
      end.abort();
    }
    attacks.push({ title, begin, end: Date.now() });
  }
  return attacks;
}
