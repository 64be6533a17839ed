import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connect } from '../../client/index.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { PROFILE } from './rig.js';
import { until } from './until.js';

const CPU = { device: 'cpu', uses: ['write'] } as const;
const FRAME = { width: 3840, height: 2160, format: 'XR24' } as const;

describe('the log', () => {
  let bus: PrivateBus;
  let daemon: RunningDaemon;
  beforeAll(async () => {
    bus = await startBus();
    daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
  });
  afterAll(async () => {
    await daemon.stop();
    await bus.stop();
  });

  /** What the latest message of that name says of the event loop's delay, in milliseconds. */
  const delayIn = (event: string): unknown => {
    const lines = daemon.log().trim().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return entries.findLast((entry) => entry['event'] === event)?.['loopDelayMs'];
  };

  /** Has it said, and waits for that. */
  const ask = async (): Promise<unknown> => {
    const said = (): number => daemon.log().split('policy-read').length;
    const before = said();
    process.kill(daemon.pid, 'SIGHUP');
    await until('policy is read again', () => (said() > before ? true : undefined));
    return delayIn('policy-read');
  };

  it('says at a reload and at the end how late the event loop was while memory was made', async () => {
    await using broker = await connect({ bus: bus.address });
    expect(await ask()).toBe(0);
    let delay;
    do {
      const frame = await broker.allocate([CPU], FRAME);
      await frame.release();
      delay = (await ask()) as number;
    } while (delay === 0);
    expect(delay).toBeGreaterThan(0);
    await daemon.stop();
    expect(delayIn('ending')).toBeGreaterThanOrEqual(delay);
  });
});
