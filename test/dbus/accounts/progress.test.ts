import { describe, expect, it } from 'vitest';

import { Progress } from '../../../dbus/accounts/progress.js';

/** Two queues of which a test says what waits. */
function rig() {
  const progress = new Progress();
  const waiting = [0, 0];
  const follow = (queue: 0 | 1): Disposable => progress.follow(() => (waiting[queue] ?? 0) > 0);
  return { progress, waiting, followed: [follow(0), follow(1)] as const };
}

describe('Progress', () => {
  it('is there while nothing waits', () => {
    const { progress } = rig();
    expect([progress.look(), progress.look()]).toEqual([true, true]);
  });

  it('is not there when something waits in any queue and nothing was completed', () => {
    const { progress, waiting } = rig();
    waiting[1] = 1;
    expect([progress.look(), progress.look()]).toEqual([false, false]);
  });

  it('is there for one look after something was completed, whatever waits', () => {
    const { progress, waiting } = rig();
    waiting[0] = 1000;
    progress.completed();
    progress.completed();
    expect([progress.look(), progress.look()]).toEqual([true, false]);
    waiting[0] = 0;
    expect(progress.look()).toBe(true);
  });

  it('knows nothing of a queue that is gone', () => {
    const { progress, waiting, followed } = rig();
    waiting[0] = 1;
    followed[0][Symbol.dispose]();
    expect(progress.look()).toBe(true);
  });
});
