import { accessSync, constants, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { KernelError } from '../../../daemon/kernel/errors.js';
import type { UeventListener } from '../../../daemon/kernel/kernel.js';
import { sockaddrNl } from '../../../daemon/kernel/netlink-structs.js';
import type { Uevent } from '../../../daemon/kernel/uevent.js';
import {
  openUeventSocket,
  type UeventRead,
  type UeventSocket,
} from '../../../daemon/kernel/uevent-socket.js';
import { createUeventCalls, ueventCalls } from '../../../daemon/kernel/uevents.js';
import { declare } from '../../../dbus/native/libc.js';
import type { OwnedFd } from '../../../dbus/owned-fd.js';
import { until } from '../../harness/gate.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import { socketPair } from '../../harness/sockets.js';

/** Makes the kernel send an event about /dev/null to everybody who listens. */
const TRIGGER = '/sys/class/mem/null/uevent';
const trigger = (): void => {
  writeFileSync(TRIGGER, 'change');
};

function mayTrigger(): boolean {
  try {
    accessSync(TRIGGER, constants.W_OK);
    openUeventSocket().close();
    return true;
  } catch {
    return false;
  }
}

interface Heard extends UeventListener {
  readonly uevents: Uevent[];
  readonly reasons: KernelError[];
  losses: number;
}

const listener = (): Heard => {
  const heard: Heard = {
    uevents: [],
    reasons: [],
    losses: 0,
    event: (uevent) => void heard.uevents.push(uevent),
    lost: () => void (heard.losses += 1),
    ended: (reason) => void heard.reasons.push(reason),
  };
  return heard;
};

const sendto = declare(
  'int64 sendto(int fd, const void *bytes, size_t length, int flags, const void *to, uint32 length_)',
);
const getsockname = declare('int getsockname(int fd, void *address, void *length)');

/** Sends a datagram that looks like the kernel's to everybody who listens to the kernel. */
function forge(text: string): void {
  const socket = openUeventSocket();
  const to = sockaddrNl.make({ nl_family: 16, nl_groups: 1 });
  const bytes = Buffer.from(text);
  expect(Number(sendto(socket.fd, bytes, bytes.length, 0, to, to.length))).toBe(bytes.length);
  socket.close();
}

describe.skipIf(!mayTrigger())('the events of the kernel (needs netlink and a writable /sys)', () => {
  it('are told as they come', async () => {
    const heard = listener();
    using _ = ueventCalls.listen(heard);
    trigger();
    await until(() => heard.uevents.some(({ devname }) => devname === 'null'));
    const uevent = heard.uevents.find(({ devname }) => devname === 'null');
    expect(uevent).toMatchObject({
      action: 'change',
      devpath: '/devices/virtual/mem/null',
      subsystem: 'mem',
      hotplug: false,
    });
    expect(uevent?.seqnum).toBeTypeOf('bigint');
    expect(heard).toMatchObject({ losses: 0, reasons: [] });
  });

  it('are told of the kernel alone, whoever else sends', async () => {
    const heard = listener();
    using _ = ueventCalls.listen(heard);
    forge('add@/devices/forged\0SUBSYSTEM=drm\0');
    trigger();
    await until(() => heard.uevents.some(({ devname }) => devname === 'null'));
    expect(heard.uevents.map(({ devpath }) => devpath)).not.toContain('/devices/forged');
  });

  it('that find no room are told as lost, and those after them are heard', async () => {
    const heard = listener();
    using _ = ueventCalls.listen(heard);
    // Without a turn of the event loop in between, nothing is read.
    for (let i = 0; i < 3000; i++) trigger();
    await until(() => heard.losses > 0);
    const before = heard.uevents.length;
    trigger();
    await until(() => heard.uevents.length > before);
    expect(heard.reasons).toEqual([]);
  });

  it('end when some were lost and there is no other socket to go on with', async () => {
    const heard = listener();
    const open = vi.fn(openUeventSocket);
    using _ = createUeventCalls(open).listen(heard);
    open.mockImplementation(() => {
      throw new KernelError('socket', 24);
    });
    for (let i = 0; i < 3000; i++) trigger();
    await until(() => heard.reasons.length > 0);
    expect(heard).toMatchObject({ losses: 0, reasons: [{ code: 'EMFILE' }] });
  });

  it('leave no descriptor behind', async () => {
    const before = openFds();
    const heard = listener();
    const listening = ueventCalls.listen(heard);
    trigger();
    await until(() => heard.uevents.length > 0);
    listening[Symbol.dispose]();
    listening[Symbol.dispose]();
    await expectNoNewFds(before);
  });

  it('come through a socket that no child inherits and that has no port of the kernel’s', () => {
    const socket = openUeventSocket();
    const address = sockaddrNl.make({});
    expect(getsockname(socket.fd, address, Uint32Array.of(address.length))).toBe(0);
    expect(sockaddrNl.read(address, 0, 'nl_pid')).not.toBe(0);
    expect(sockaddrNl.read(address, 0, 'nl_groups')).toBe(1);
    socket.close();
  });
});

describe('listening to a socket that a test makes', () => {
  const opened: OwnedFd[] = [];
  afterEach(() => {
    for (const fd of opened.splice(0)) fd.close();
  });

  /** A socket that is always ready, and reads what the test puts there. */
  function fakeSocket(reads: (UeventRead | KernelError)[]): UeventSocket & { closed: boolean } {
    const [ours, theirs] = socketPair();
    theirs.close();
    opened.push(ours);
    return {
      closed: false,
      fd: ours.number,
      read: () => {
        const read = reads.shift() ?? 'blocked';
        if (read instanceof KernelError) throw read;
        return read;
      },
      close() {
        this.closed = true;
      },
    };
  }

  const event = (kernel = true): UeventRead => ({ kernel, bytes: Buffer.from('add@/devices/x\0') });

  it('tells what is lost in between, and drops what is not the kernel’s or no event', async () => {
    const heard = listener();
    const junk: UeventRead = { kernel: true, bytes: Buffer.from('libudev\0') };
    const reads = [event(), event(false), junk, 'lost' as const, event()];
    using _ = createUeventCalls(() => fakeSocket(reads)).listen(heard);
    await until(() => heard.uevents.length === 2);
    expect(heard.losses).toBe(1);
  });

  it('reads many in slices, so that others get their turn', async () => {
    const heard = listener();
    using _ = createUeventCalls(() => fakeSocket(Array.from({ length: 1000 }, () => event()))).listen(heard);
    await until(() => heard.uevents.length > 0);
    expect(heard.uevents.length).toBeLessThan(100);
    await until(() => heard.uevents.length === 1000);
  });

  it('ends, once and for all, when the socket is of no use any more', async () => {
    const heard = listener();
    const socket = fakeSocket([new KernelError('recvfrom', 5)]);
    using _ = createUeventCalls(() => socket).listen(heard);
    await until(() => heard.reasons.length > 0);
    expect(heard.reasons).toMatchObject([{ call: 'recvfrom', code: 'EIO' }]);
    expect(socket.closed).toBe(true);
  });

  it('says why there can be none', () => {
    const refused = vi.fn(() => {
      throw new KernelError('socket', 97);
    });
    expect(() => createUeventCalls(refused).listen(listener())).toThrow('EAFNOSUPPORT');
  });
});
