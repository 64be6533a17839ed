import { describe, expect, it } from 'vitest';

import { limitNames, parseDevice } from '../../../client/cli/device-argument.js';
import { UsageError } from '../../../client/cli/usage.js';
import { limitsOf } from '../../../dbus/limits.js';

describe('parseDevice', () => {
  it.each([
    ['cpu', { device: 'cpu' }],
    ['cpu:read,write', { device: 'cpu', uses: ['read', 'write'] }],
    ['226:0', { device: '226:0' }],
    ['226:128:render', { device: '226:128', uses: ['render'] }],
    ['/org/dmabroker1/device/a', { device: '/org/dmabroker1/device/a' }],
    [
      '/dev/dri/card0:scanout,pitch-multiple=256,contiguous',
      { device: '/dev/dri/card0', uses: ['scanout'], pitchMultiple: 256, contiguous: true },
    ],
    ['a:contiguous=false,protected=true', { device: 'a', contiguous: false, protected: true }],
    ['a:modifiers=LINEAR+0x0100000000000001', { device: 'a', modifiers: [0n, 0x0100_0000_0000_0001n] }],
    ['a:size-multiple=2M,max-width=4096', { device: 'a', sizeMultiple: 2_097_152n, maxWidth: 4096 }],
  ])('%s', (text, request) => {
    expect(parseDevice(text)).toEqual(request);
  });

  it.each([
    ['', 'DEVICE[:ITEM,…]'],
    [':scanout', 'DEVICE[:ITEM,…]'],
    ['cpu:', 'DEVICE[:ITEM,…]'],
    ['cpu:reed', "'reed' is neither a use"],
    ['cpu:uses=read', "'uses' is neither"],
    ['cpu:pitchMultiple=4', "'pitchMultiple' is neither"],
    ['cpu:pitch-multiple', 'pitch-multiple wants a value'],
    ['cpu:pitch-multiple=big', "not a whole number: 'big'"],
    ['cpu:pitch-multiple=4,pitch-multiple=8', 'given twice'],
    ['cpu:contiguous=maybe', 'neither true nor false'],
    ['cpu:modifiers=tiled', "not a modifier: 'tiled'"],
    ['cpu:read,,write', "'' is neither"],
  ])('refuses %j', (text, why) => {
    expect(() => parseDevice(text)).toThrow(UsageError);
    expect(() => parseDevice(text)).toThrow(why);
  });

  it('knows every limit of the contract by its name there', () => {
    for (const name of limitNames) {
      const valueOf: Readonly<Record<string, string>> = {
        modifiers: '=LINEAR',
        ...Object.fromEntries(limitsOf('b').map((flag) => [flag, ''])),
      };
      expect(Object.keys(parseDevice(`cpu:${name}${valueOf[name] ?? '=1'}`))).toHaveLength(2);
    }
  });
});
