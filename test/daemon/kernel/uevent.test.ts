import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseUevent } from '../../../daemon/kernel/uevent.js';

const datagram = (...fields: readonly string[]): Buffer =>
  Buffer.from(fields.map((field) => `${field}\0`).join(''));

const DEVPATH = '/devices/pci0000:00/0000:00:02.0/drm/card0';

describe('parseUevent', () => {
  it('reads what the kernel says of a card whose displays changed', () => {
    const bytes = datagram(
      `change@${DEVPATH}`,
      'ACTION=change',
      `DEVPATH=${DEVPATH}`,
      'SUBSYSTEM=drm',
      'HOTPLUG=1',
      'MAJOR=226',
      'MINOR=0',
      'DEVNAME=dri/card0',
      'DEVTYPE=drm_minor',
      'SEQNUM=18446744073709551615',
    );
    expect(parseUevent(bytes)).toEqual({
      action: 'change',
      devpath: DEVPATH,
      subsystem: 'drm',
      devname: 'dri/card0',
      seqnum: 2n ** 64n - 1n,
      hotplug: true,
    });
  });

  it('reads one that says no more than it must', () => {
    expect(parseUevent(datagram('remove@/devices/x'))).toEqual({
      action: 'remove',
      devpath: '/devices/x',
      subsystem: '',
      hotplug: false,
    });
  });

  it.each([
    ['nothing', ''],
    ['a message of udev', 'libudev\0\xfe\xed\xca\xfe'],
    ['no action', '@/devices/x\0'],
    ['a path that is not below /sys', 'add@devices/x\0'],
    ['no path', 'add@\0'],
    ['an action in capitals', 'ADD@/devices/x\0'],
  ])('makes nothing of %s', (_title, text) => {
    expect(parseUevent(Buffer.from(text, 'latin1'))).toBeUndefined();
  });

  it('takes the first of what is there twice, and leaves out what is no assignment or no number', () => {
    const bytes = datagram('add@/d', 'SUBSYSTEM=drm', 'SUBSYSTEM=net', '=x', 'DEVNAME', 'SEQNUM=0x1');
    expect(parseUevent(bytes)).toEqual({
      action: 'add',
      devpath: '/d',
      subsystem: 'drm',
      hotplug: false,
    });
  });

  it('throws at no bytes, and makes something only of a header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const uevent = parseUevent(Buffer.from(bytes));
        if (uevent !== undefined)
          expect(Buffer.from(bytes).toString().startsWith(`${uevent.action}@/`)).toBe(true);
      }),
    );
  });

  it('gives back what was put in, whatever stands around it', () => {
    const value = fc.string({ unit: fc.constantFrom('a', '/', '=', '@', '\n', 'é', ' '), maxLength: 12 });
    const other = fc.tuple(fc.constantFrom('MAJOR', 'DEVTYPE', 'X', 'HOTPLUG_'), value);
    fc.assert(
      fc.property(
        fc.constantFrom('add', 'remove', 'change', 'bind'),
        value,
        value,
        value,
        fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
        fc.boolean(),
        fc.array(other),
        (action, path, subsystem, devname, seqnum, hotplug, others) => {
          const bytes = datagram(
            `${action}@/${path}`,
            ...others.map(([key, text]) => `${key}=${text}`),
            `SUBSYSTEM=${subsystem}`,
            `DEVNAME=${devname}`,
            ...(seqnum === undefined ? [] : [`SEQNUM=${seqnum}`]),
            ...(hotplug ? ['HOTPLUG=1'] : []),
          );
          expect(parseUevent(bytes)).toEqual({
            action,
            devpath: `/${path}`,
            subsystem,
            devname,
            ...(seqnum !== undefined && { seqnum }),
            hotplug,
          });
        },
      ),
    );
  });
});
