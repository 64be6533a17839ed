import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { FullScreen } from '../../../../client/cli/top/full-screen.js';

/** A terminal whose size can change, and what is written to it. */
class FakeTerminal extends EventEmitter {
  columns = 80;
  rows = 24;
  written = '';

  write(text: string): void {
    this.written += text;
  }
}

describe('FullScreen', () => {
  it('is as large as the terminal is now, and has all drawn again when that changes', () => {
    const stdout = new FakeTerminal();
    let redrawn = 0;
    using screen = new FullScreen({
      stdout,
      stdin: new PassThrough(),
      quit: () => undefined,
      redraw: () => {
        redrawn += 1;
      },
    });
    expect([screen.width, screen.height]).toEqual([80, 24]);
    Object.assign(stdout, { columns: 200, rows: 50 });
    stdout.emit('resize');
    expect([screen.width, screen.height, redrawn]).toEqual([200, 50, 1]);
  });

  it('covers what was there, and listens to nobody any more when it is gone', () => {
    const stdout = new FakeTerminal();
    const before = process.listenerCount('exit') + process.listenerCount('SIGCONT');
    const screen = new FullScreen({
      ...{ stdout, stdin: new PassThrough() },
      ...{ quit: () => undefined, redraw: () => undefined },
    });
    screen.draw(['one', 'two']);
    expect(stdout.written.endsWith('\u{1b}[Hone\u{1b}[K\r\ntwo\u{1b}[K\u{1b}[J')).toBe(true);
    screen[Symbol.dispose]();
    expect(process.listenerCount('exit') + process.listenerCount('SIGCONT')).toBe(before);
    expect(stdout.listenerCount('resize')).toBe(0);
  });
});
