import { openSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { declare } from '../../../dbus/native/libc.js';
import { OwnedFd } from '../../../dbus/owned-fd.js';
import { fencesSignalled } from '../../../daemon/kernel/dma-buf.js';

const eventfd = declare('int eventfd(unsigned int initial, int flags)');
const EFD_NONBLOCK = 0o4000;

describe('fencesSignalled', () => {
  it('says whether a descriptor can be written, as poll does, without waiting', () => {
    using counter = new OwnedFd(eventfd(0, EFD_NONBLOCK) as number);
    expect(fencesSignalled(counter.number)).toBe(true);
    // A counter that is full cannot be written to, as a buffer with a fence cannot.
    const full = Buffer.alloc(8, 0xff);
    full.writeBigUInt64LE(2n ** 64n - 2n);
    writeSync(counter.number, full);
    expect(fencesSignalled(counter.number)).toBe(false);
  });

  it('does not take an error for a yes', () => {
    const closed = openSync('/dev/null', 'r');
    const fd = new OwnedFd(closed);
    fd.close();
    expect(fencesSignalled(closed)).toBe(false);
  });
});
