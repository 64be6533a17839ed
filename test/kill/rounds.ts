import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

import { connect, type Broker } from '../../client/index.js';
import type { Book } from './book.js';
import type { KillClient } from './client.js';

/** What a round starts again. */
export interface Victim {
  pid(): number | Promise<number>;
  kill(): Promise<void>;
  /** Returns when it serves again. */
  start(): Promise<void>;
}

export interface RoundOptions {
  readonly rounds: number;
  readonly address: string;
  readonly victim: Victim;
  readonly clients: readonly KillClient[];
  readonly book: Book;
  readonly random: () => number;
  /** Bytes that are held, counted in another way than the book does. */
  readonly count?: () => bigint;
  /** Whether the kernel tells who has a buffer, so that not even what was being sent may be lost. */
  readonly strict: boolean;
  readonly progress: (text: string) => void;
}

/** Milliseconds from the start of a round to the kill, at most, and until a check has failed. */
const LIFE = 400;
const PATIENCE = 20_000;

/** Kills the daemon in the middle of everything, again and again, and looks each time whether anything is lost. */
export async function killRounds(options: RoundOptions): Promise<void> {
  const { rounds, address, victim, clients, book, random, progress } = options;
  for (let round = 1; round <= rounds; round += 1) {
    for (const client of clients) client.run();
    await pause(random() * LIFE);
    await victim.kill();
    await victim.start();
    await Promise.all(clients.map((client) => client.pause()));
    const broker = await connect({ bus: address });
    try {
      await eventually(() => check(broker, options));
    } finally {
      await broker.close();
    }
    const lost = sum(clients, 'lost');
    if (options.strict) assert.equal(lost, 0, 'a daemon did not know what clients had');
    progress(
      `round ${round}/${rounds}: ${sum(clients, 'requests')} requests, ${sum(clients, 'interrupted')} interrupted, ` +
        `${book.buffers} buffers held${lost > 0 ? `, ${lost} allocations lost while they were sent` : ''}`,
    );
  }
}

/** Both roads were taken: the daemon that lives now has channels. */
export async function expectChannels(address: string): Promise<void> {
  const broker = await connect({ bus: address });
  try {
    const { channels } = await broker.status();
    assert.ok(channels > 0, 'no client has left the bus');
  } finally {
    await broker.close();
  }
}

/** Nobody has anything, and neither the daemon nor its keeper. */
export async function expectNothingLeft(
  { address, clients }: Pick<RoundOptions, 'address' | 'clients'>,
  kept: () => number,
): Promise<void> {
  await Promise.all(clients.map((client) => client.releaseAll()));
  const broker = await connect({ bus: address });
  try {
    await eventually(async () => {
      const { liveBytes, liveBuffers } = await broker.status();
      const warm = (await broker.pools()).reduce((bytes, pool) => bytes + pool.warm, 0n);
      assert.deepEqual({ liveBytes, liveBuffers }, { liveBytes: 0n, liveBuffers: 0n });
      if (warm === 0n) assert.equal(kept(), 0, 'descriptors are kept that nobody needs');
    });
  } finally {
    await broker.close();
  }
}

async function check(broker: Broker, options: RoundOptions): Promise<void> {
  const { clients, book, victim, count } = options;
  const theirs = new Map(clients.flatMap(({ held }) => [...held]));
  const allocations = await broker.allocations();
  const ours = new Map(allocations.map(({ path, layout }) => [path, layout.count]));
  assert.deepEqual(sorted(ours), sorted(theirs), 'the daemon has other allocations than its clients');
  const { liveBytes, liveBuffers } = await broker.status();
  assert.deepEqual(
    { liveBytes, liveBuffers },
    { liveBytes: book.bytes, liveBuffers: BigInt(book.buffers) },
    'what counts is not what is held',
  );
  if (count !== undefined) assert.equal(liveBytes, count(), 'what counts is not what the kernel says');
  const daemons = inodesOf(await victim.pid());
  const missing = [...book.inodes].filter((inode) => !daemons.has(inode));
  assert.deepEqual(missing, [], 'clients have buffers that the daemon has not');
}

/** Inode of everything that a process has open. */
function inodesOf(pid: number): ReadonlySet<bigint> {
  const directory = `/proc/${pid}/fd`;
  const found = readdirSync(directory).flatMap(
    (fd) => statSync(`${directory}/${fd}`, { bigint: true, throwIfNoEntry: false })?.ino ?? [],
  );
  return new Set(found);
}

/** What was released goes a moment later. */
async function eventually(attempt: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(50);
    }
  }
}

const sorted = (map: ReadonlyMap<string, number>): readonly (readonly [string, number])[] =>
  [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));

const sum = (clients: readonly KillClient[], what: 'lost' | 'requests' | 'interrupted'): number =>
  clients.reduce((total, client) => total + client[what], 0);
