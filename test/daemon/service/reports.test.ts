import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';

import { Reports } from '../../../daemon/service/reports.js';
import { makeRig, type Rig } from '../broker/rig.js';

function rigOf(): Rig {
  const rig = makeRig();
  onTestFinished(() => {
    rig.broker.close();
  });
  return rig;
}

const log = pino({ level: 'silent' });

/** A manager that hears, with what it heard; times are left out. */
function manager() {
  const heard: string[] = [];
  return {
    heard,
    send: (text: string) => {
      heard.push(text.replace(/(?<=^MONOTONIC_USEC=)[1-9]\d*$/m, 'now'));
      return true;
    },
  };
}

describe('what the service manager is told', () => {
  it('is how the service is, that it is ready, and that it is alive', () => {
    const rig = rigOf();
    const listener = manager();
    const environment = { WATCHDOG_USEC: '30000000' };
    const told = new Reports(listener, log).ready(rig.broker, { environment, later: rig.timers.later });
    expect(listener.heard.slice(1)).toEqual(['READY=1', 'WATCHDOG=1']);
    expect(listener.heard[0]).toMatch(/^STATUS=\d+ devices, \d+ heaps, 0 buffers, 0 bytes$/);
    rig.timers.pass(15_000);
    expect(listener.heard.slice(3)).toEqual(['WATCHDOG=1']);
    told[Symbol.dispose]();
    rig.timers.pass(60_000);
    expect(listener.heard).toHaveLength(4);
  });

  it('is when a reload begins and when it has ended', async () => {
    const rig = rigOf();
    const listener = manager();
    const reports = new Reports(listener, log);
    reports.ready(rig.broker, { environment: {}, later: rig.timers.later });
    listener.heard.length = 0;
    await reports.reloading(() => {
      listener.heard.push('the reload');
      return Promise.resolve();
    });
    expect(listener.heard).toEqual(['RELOADING=1\nMONOTONIC_USEC=now', 'the reload', 'READY=1']);
  });

  it('is nothing of a reload before the service is ready', async () => {
    const listener = manager();
    await new Reports(listener, log).reloading(() => Promise.resolve());
    expect(listener.heard).toEqual([]);
  });

  it('does not keep the service from its work when the manager is gone, or there is none', async () => {
    const rig = rigOf();
    const gone = {
      send: () => {
        throw new Error('nobody listens');
      },
    };
    for (const nobody of [gone, undefined]) {
      const reports = new Reports(nobody, log);
      using _told = reports.ready(rig.broker, {
        environment: { WATCHDOG_USEC: '2000000' },
        later: rig.timers.later,
      });
      let ran = false;
      await reports.reloading(() => {
        ran = true;
        return Promise.resolve();
      });
      reports.stopping();
      expect(ran).toBe(true);
    }
  });
});
