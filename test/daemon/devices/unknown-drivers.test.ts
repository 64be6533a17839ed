import { describe, expect, it } from 'vitest';

import { type Device, type Inventory, CPU_DEVICE } from '../../../daemon/devices/inventory.js';
import { unknownDriverWarnings } from '../../../daemon/devices/unknown-drivers.js';
import { mergePolicy } from '../../../daemon/policy/merge.js';
import { parsePolicyFile } from '../../../daemon/policy/parse.js';
import { device } from '../../tools/devices.js';
import { naming } from '../../harness/naming.js';

const policy = (text: string) => mergePolicy([parsePolicyFile('test.conf', Buffer.from(text))]);

const inventory = (...devices: readonly Device[]): Inventory => ({
  machine: {
    name: '',
    architecture: '',
    kernel: '',
    compatible: [],
    ram: { value: 1n, source: 'kernel:x' },
    ramTop: { value: 1n, source: 'kernel:x' },
  },
  devices: [CPU_DEVICE, ...devices],
  heaps: [],
  reach: [],
  warnings: [],
});

const machine = inventory(
  device({ node: '/dev/dri/card0', driver: 'known', name: 'One' }),
  device({ node: '/dev/dri/card1', driver: 'strange', name: 'Two' }),
  device({ node: '/dev/dri/card2', driver: 'strange', name: 'Three' }),
  device({ node: '/dev/video0', driver: 'odd', name: 'Four' }),
);

describe('unknownDriverWarnings', () => {
  it('names each driver once, with its devices and what to add', () => {
    const warnings = unknownDriverWarnings(machine, policy('[Device known]\nPitchMultiple=64\n'));
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(naming('strange', '/dev/dri/card1', 'Two', '/dev/dri/card2', 'Three'));
    expect(warnings[1]).toMatch(naming('odd', '/dev/video0', 'Four'));
    for (const text of warnings) expect(text).not.toContain('card0');
  });

  it('says what to add, and is silent once it was added', () => {
    const [warning = ''] = unknownDriverWarnings(machine, policy('[Device known|odd]\n'));
    const section = /\[Device [^\]]+\]/.exec(warning)?.[0] ?? '';
    expect(section).not.toBe('');
    expect(unknownDriverWarnings(machine, policy(`[Device known|odd]\n${section}\n`))).toEqual([]);
  });
});
