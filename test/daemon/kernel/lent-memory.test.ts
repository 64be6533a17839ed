import { constants, closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { freePages, isOpenElsewhere, reopen } from '../../../daemon/kernel/lent-memory.js';
import { Mapping } from '../../../daemon/kernel/mapping.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { FdMessages } from '../../../dbus/native/fd-messages.js';
import { declare } from '../../../dbus/native/libc.js';
import { OwnedFd } from '../../../dbus/owned-fd.js';
import { socketPair } from '../../harness/sockets.js';

const PAGE = 4096n;
const fcntl = declare('int fcntl(int fd, int cmd, ...)');
/** fcntl(2) */
const F_GETFL = 3;
const F_GET_SEALS = 1034;
/** open(2); Node.js does not name it. */
const O_PATH = 0o10000000;

/** A memfd as its heap leaves it. */
async function own(size = PAGE): Promise<OwnedFd> {
  using made = await memoryCalls.createMemfd('test', size);
  return reopen(made.number, 'own');
}

/** 512-byte blocks behind a file (stat(2)). */
const blocksOf = (fd: OwnedFd): number => fstatSync(fd.number).blocks;

describe('isOpenElsewhere', () => {
  it('says that nothing has what was not lent, however often ours is duplicated', async () => {
    using fd = await own();
    using _copy = fd.dup();
    expect(isOpenElsewhere(fd.number)).toBe(false);
  });

  it('sees a descriptor, its copies, and one that the holder opened to read only', async () => {
    using fd = await own();
    const lent = reopen(fd.number, 'lent');
    expect(isOpenElsewhere(fd.number)).toBe(true);
    const copy = lent.dup();
    lent.close();
    expect(isOpenElsewhere(fd.number)).toBe(true);
    const reader = openSync(`/proc/self/fd/${copy.number}`, constants.O_RDONLY);
    copy.close();
    expect(isOpenElsewhere(fd.number)).toBe(true);
    closeSync(reader);
    expect(isOpenElsewhere(fd.number)).toBe(false);
  });

  it.each(['shared', 'private'] as const)('sees a %s mapping whose descriptor is closed', async (sharing) => {
    using fd = await own();
    const lent = reopen(fd.number, 'lent');
    const mapping = new Mapping(lent.number, 0n, PAGE, sharing);
    lent.close();
    expect(isOpenElsewhere(fd.number)).toBe(true);
    mapping[Symbol.dispose]();
    expect(isOpenElsewhere(fd.number)).toBe(false);
  });

  it('sees a descriptor that is queued in a socket', async () => {
    using fd = await own();
    const [here, there] = socketPair();
    const lent = reopen(fd.number, 'lent');
    new FdMessages(here.number).send(Buffer.from('x'), [lent]);
    lent.close();
    expect(isOpenElsewhere(fd.number)).toBe(true);
    here.close();
    there.close();
    expect(isOpenElsewhere(fd.number)).toBe(false);
  });

  it('cannot tell it of a memfd whose first description may be lent', async () => {
    using made = await memoryCalls.createMemfd('test', PAGE);
    expect(isOpenElsewhere(made.number)).toBeUndefined();
  });
});

describe('reopen', () => {
  it('lends what a client cannot tell from the memfd itself', async () => {
    using made = await memoryCalls.createMemfd('test', PAGE);
    using lent = reopen(made.number, 'lent');
    expect(fcntl(lent.number, F_GET_SEALS)).toBe(fcntl(made.number, F_GET_SEALS));
    expect(fcntl(lent.number, F_GETFL)).toBe(fcntl(made.number, F_GETFL));
    expect(fstatSync(lent.number)).toMatchObject({ size: 4096, ino: fstatSync(made.number).ino });
  });
});

describe('freePages', () => {
  it('leaves nothing to what names the memory without holding it open', async () => {
    using fd = await own(16n * PAGE);
    const lent = reopen(fd.number, 'lent');
    writeSync(lent.number, 'secret');
    using named = new OwnedFd(openSync(`/proc/self/fd/${lent.number}`, O_PATH));
    lent.close();
    expect([isOpenElsewhere(fd.number), blocksOf(named)]).toEqual([false, 128]);
    await freePages(fd.number, 16n * PAGE);
    expect(blocksOf(named)).toBe(0);
  });
});
