import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { declare } from '../../../dbus/native/libc.js';
import { offLoop } from '../../../dbus/native/off-loop.js';

const EBADF = 9;
const EINVAL = 22;
const ioctl = declare('int ioctl(int fd, unsigned long request, void *argument)');
const ftruncate = declare('int ftruncate(int fd, int64 length)');
const write = declare('int64 write(int fd, void *bytes, size_t length)');
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

  it('keeps what it is given until the call is over', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const directory = mkdtempSync(join(tmpdir(), 'off-loop-'));
    const file = openSync(join(directory, 'written'), 'w');
    try {
      // The threads are busy while nobody but the calls themselves knows the bytes any more.
      const busy = Array.from({ length: 4 }, () => offLoop(usleep, 100_000));
      const writes = Array.from({ length: 40 }, () => offLoop(write, file, Buffer.alloc(8, 'A'), 8));
      collect();
      const rubbish = Array.from({ length: 5000 }, () => Buffer.alloc(8, 'B'));
      await Promise.all([...busy, ...writes]);
      expect(rubbish).toHaveLength(5000);
      expect(readFileSync(join(directory, 'written'), 'utf8')).toBe('A'.repeat(320));
    } finally {
      closeSync(file);
      rmSync(directory, { recursive: true });
    }
  });
});
