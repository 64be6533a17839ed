import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { connect, type Broker } from '../../client/index.js';
import { Stage } from '../demo/stage.js';
import { writePolicy } from '../harness/root-policy.js';
import { PROFILE } from './bench-stand.js';
import type { Measure, Taken } from './figures.js';

const CLIENTS = 50;
const EACH = 4;
const FRAME = { width: 3840, height: 2160, format: 'XR24' } as const;
/** Nothing lies ready: every frame is made while somebody waits for it. */
const POLICY = `[Pool scattered]
Limit=8G
Warm=0
[Quota]
Bytes=8G
ClientBytes=8G
UnitBytes=8G
Rate=100000
`;
/** Milliseconds that the daemon is left alone for the baseline. */
const IDLE = 3000;
const LOOK = 10;

/** How late the daemon's event loop is while many wait for memory that is made for them, beside the same daemon idle. */
export const loopDelay = (): Measure => ({
  name: `event loop's delay, ${CLIENTS} clients for whom 33 MB buffers are made`,
  against: 'nobody asks for anything',
  target: { p99: 2000 },
  take,
});

async function take(): Promise<Taken> {
  const directory = mkdtempSync(join(tmpdir(), 'dmabroker-delay-'));
  const file = join(directory, 'delay.json');
  const probe = fileURLToPath(new URL('loop-delay-probe.js', import.meta.url));
  writePolicy(directory, POLICY);
  const environment = { NODE_OPTIONS: `--import=${probe}`, DMABROKER_LOOP_DELAY: file };
  try {
    await using stage = await Stage.on({}, ['--root', directory, '--profile', PROFILE], environment);
    const read = async (): Promise<readonly number[]> => {
      rmSync(file, { force: true });
      process.kill(stage.pid, 'SIGUSR2');
      for (;;) {
        try {
          return JSON.parse(readFileSync(file, 'utf8')) as readonly number[];
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
          await pause(LOOK);
        }
      }
    };
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => connect({ bus: stage.address, timeout: 120_000 })),
    );
    // What is compiled and read for the first time is not what is measured.
    await Promise.all(clients.map((client) => takeFrames(client, 1)));
    await read();
    await pause(IDLE);
    const baseline = await read();
    await Promise.all(clients.map((client) => takeFrames(client, EACH)));
    const ours = await read();
    await Promise.all(clients.map((client) => client.close()));
    return { ours, baseline };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function takeFrames(client: Broker, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const frame = await client.allocate([{ device: 'cpu', uses: ['read', 'write'] }], FRAME);
    await frame.release();
  }
}
