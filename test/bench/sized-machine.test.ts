import { expect, test } from 'vitest';

import { machineWith, POOR, RICH, sizedDevices, skillOf } from './sized-machine.js';
import { inventoryFromProfile } from '../../daemon/devices/profile/read.js';
import { profileFromInventory } from '../../daemon/devices/profile/write.js';

const pairs = ({ formats, modifiers }: typeof POOR): number => formats * modifiers;

test('pairs are spread over formats evenly, or it says that they cannot be', () => {
  expect([10, 40, 2000].map((count) => pairs(skillOf(count)))).toEqual([10, 40, 2000]);
  expect(skillOf(10)).toEqual(POOR);
  expect(skillOf(2000)).toEqual(RICH);
  expect(() => skillOf(7)).toThrow('7 pairs');
});

test('a made-up machine has so many devices and pairs, and a profile of it is the same machine', () => {
  const inventory = machineWith(sizedDevices(64, RICH));
  const devices = inventory.devices.filter(({ subsystem }) => subsystem === 'drm');
  expect(devices).toHaveLength(64);
  const counts = devices.map(({ formats }) =>
    formats.reduce((sum, { modifiers }) => sum + modifiers.length, 0),
  );
  expect(new Set(counts)).toEqual(new Set([2000]));
  const read = inventoryFromProfile(
    profileFromInventory(inventory, { kind: 'constructed', from: ['x'] }),
    'x',
  );
  expect(read.inventory.devices).toEqual(inventory.devices);
});
