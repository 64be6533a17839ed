import { describe, expect, it } from 'vitest';

import { declare } from '../../../dbus/native/libc.js';
import { offLoop } from '../../../dbus/native/off-loop.js';

const EBADF = 9;
const EINVAL = 22;
const ioctl = declare('int ioctl(int fd, unsigned long request, void *argument)');
const ftruncate = declare('int ftruncate(int fd, int64 length)');
const usleep = declare('int usleep(unsigned int microseconds)');

describe('offLoop', () => {
  it('gives each of very many calls its own errno', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 2000 }, (_, i) =>
        i % 2 === 0 ? offLoop(ioctl, -1, 0, null) : offLoop(ftruncate, 1, -1),
      ),
    );
    expect(outcomes).toEqual(outcomes.map((_, i) => ({ result: -1, errno: i % 2 === 0 ? EBADF : EINVAL })));
  });

  it('lets the event loop turn while a call blocks', async () => {
    const progress = { over: false };
    const call = offLoop(usleep, 50_000).then(() => {
      progress.over = true;
    });
    let turns = 0;
    while (!progress.over) {
      turns += 1;
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    await call;
    expect(turns).toBeGreaterThan(10);
  });
});
