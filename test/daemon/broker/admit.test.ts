import { describe, expect, it } from 'vitest';

import { devicePath } from '../../../dbus/names.js';
import { quote } from '../../../dbus/quote.js';
import { admit } from '../../../daemon/broker/admit.js';
import { indexDevices } from '../../../daemon/broker/device-index.js';
import type { NewRequest } from '../../../daemon/broker/broker-types.js';
import { GPU, machine } from '../machine.js';
import { entry, image } from './rig.js';
import { naming } from '../../harness/naming.js';

const index = indexDevices(machine());
const admitted = (...names: string[]): string[] =>
  admit(image({ entries: names.map((name) => entry(name)) }), index).participants.map(
    ({ device }) => device.node,
  );
const refusal = (request: Partial<NewRequest>): unknown => {
  try {
    return admit(image(request), index);
  } catch (error) {
    return error;
  }
};

describe('admit', () => {
  it.each(['/dev/dri/card0', '/dev/dri/renderD128', '226:0', '226:128', devicePath('/dev/dri/card0')])(
    'knows a device as %s',
    (name) => {
      expect(admitted(name)).toEqual([GPU.node]);
    },
  );

  it('takes every entry as a participant of its own', () => {
    const entries = [
      entry('cpu', { uses: ['read'] }),
      entry('/dev/video0'),
      entry('cpu', { uses: ['write'] }),
    ];
    expect(admit(image({ entries }), index).participants).toMatchObject([
      { entry: 0, device: { node: 'cpu' }, uses: ['read'] },
      { entry: 1, device: { node: '/dev/video0' } },
      { entry: 2, device: { node: 'cpu' }, uses: ['write'] },
    ]);
  });

  it.each([
    '',
    ':',
    '0:0',
    '/dev/dri/card00',
    '/dev/../dev/dri/card0',
    '/etc/passwd',
    'CPU',
    '__proto__',
    'constructor',
  ])('names a device that is not there: %j', (name) => {
    const error = refusal({ entries: [entry('cpu'), entry(name)] });
    expect(error).toMatchObject({ code: 'UnknownDevice' });
    expect(String(error)).toMatch(naming('devices[1]', quote(name)));
  });

  it('names a use that a device does not have', () => {
    const error = refusal({ entries: [entry('cpu', { uses: ['read', 'scanout'] })] });
    expect(error).toMatchObject({ code: 'InvalidRequest' });
    expect(String(error)).toMatch(naming('devices[0] uses', 'cpu', 'scanout', 'read', 'write'));
  });

  it('refuses a format that nobody knows', () => {
    const error = refusal({ content: { format: 'ZZZZ', width: 1, height: 1 } });
    expect(error).toMatchObject({ code: 'UnsupportedFormat' });
    expect(String(error)).toMatch(naming('buffer format', '"ZZZZ"'));
    expect(String(error)).not.toContain('/dev/');
  });

  it('says when a device knows a format that has no known layout', () => {
    const error = refusal({ content: { format: 'QQ42', width: 1, height: 1 } });
    expect(error).toMatchObject({ code: 'UnsupportedFormat' });
    expect(String(error)).toMatch(naming('buffer format', '/dev/dri/card0', '"QQ42"'));
  });

  it('shows a short format without its spaces', () => {
    expect(String(refusal({ content: { format: 'Q   ', width: 1, height: 1 } }))).toContain('"Q"');
  });
});
