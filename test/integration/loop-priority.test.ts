import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connect } from '../../client/index.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { niceValues } from '../harness/nice.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { PROFILE } from './rig.js';

/** Number of CAP_SYS_NICE in capabilities(7). */
const SYS_NICE = 23n;

/** Whether this process, and what it starts, may put threads ahead. Root in a container may not. */
function mayRaise(): boolean {
  const [, effective = '0'] = /^CapEff:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return ((BigInt(`0x${effective}`) >> SYS_NICE) & 1n) === 1n;
}

describe("the threads of a daemon's process", () => {
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

  it("are behind the event loop's, where the daemon may put that one ahead", async () => {
    await using broker = await connect({ bus: bus.address });
    // Memory is made on the thread pool, so that its threads are there.
    await broker.allocate([{ device: 'cpu', uses: ['write'] }], { size: 4096 });
    const { loop, others } = niceValues(daemon.pid);
    expect(loop).toBe(mayRaise() ? -10 : getPriority());
    expect(others).not.toEqual([]);
    expect(new Set(others)).toEqual(new Set([getPriority()]));
  });
});
