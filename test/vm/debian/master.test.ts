import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { startDaemon } from '../rig/daemon.js';

const PROGRAM = fileURLToPath(new URL('../rig/take-master.js', import.meta.url));
const ROUNDS = 100;

interface Outcome {
  readonly rounds: number;
  readonly cards: readonly string[];
  /** How often it found the daemon between an open and the call that gives up being master. */
  readonly again: number;
  readonly refused: readonly string[];
}

async function takeMaster(): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, String(ROUNDS)]);
  return JSON.parse(stdout) as Outcome;
}

function over(ended: Promise<unknown>): () => boolean {
  let isOver = false;
  void ended.finally(() => (isOver = true));
  return () => isOver;
}

describe(`another program becomes master of every card, ${ROUNDS} times of ${ROUNDS}`, () => {
  it('while the daemon runs, and hands out memory of a card', async (test) => {
    await using daemon = await startDaemon();
    const ended = takeMaster();
    const isOver = over(ended);
    const [card] = (await daemon.broker.devices()).filter(({ driver }) => driver === 'bochs-drm');
    assert(card !== undefined);
    const image = { width: 64, height: 64, format: 'XR24' } as const;
    while (!isOver()) {
      const allocation = await daemon.broker.allocate([{ device: card.node, uses: ['scanout'] }], image);
      await allocation.release();
    }
    const { cards, again, refused } = await ended;
    test.diagnostic(`${again} times at the second try`);
    assert(cards.length >= 4);
    assert.deepEqual(refused, []);
  });

  it('while daemons start, and probe the devices', async (test) => {
    const ended = takeMaster();
    const isOver = over(ended);
    let starts = 0;
    while (!isOver() || starts === 0) {
      await using _daemon = await startDaemon();
      starts += 1;
    }
    test.diagnostic(`${starts} daemons started meanwhile`);
    const { again, refused } = await ended;
    test.diagnostic(`${again} times at the second try`);
    assert.deepEqual(refused, []);
  });
});
