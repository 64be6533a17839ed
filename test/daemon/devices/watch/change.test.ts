import { describe, expect, it } from 'vitest';

import {
  ANYTHING,
  both,
  changeOf,
  DEVICES,
  displaysChanged,
} from '../../../../daemon/devices/watch/change.js';
import type { Uevent } from '../../../../daemon/kernel/uevent.js';

const CARD = '/devices/pci0000:00/0000:00:02.0/drm/card1';

const uevent = (subsystem: string, action: string, more: Partial<Uevent> = {}): Uevent => ({
  subsystem,
  action,
  devpath: '/devices/x',
  hotplug: false,
  ...more,
});
const display = { displays: new Set(['/dev/dri/card1']) };

describe('changeOf', () => {
  it.each([
    ['a card that comes', uevent('drm', 'add', { devpath: CARD }), DEVICES],
    ['a render node that goes', uevent('drm', 'remove', { devpath: '/devices/gpu/drm/renderD128' }), DEVICES],
    ['a display that is plugged', uevent('drm', 'change', { devpath: CARD, hotplug: true }), display],
    ['a connector that comes', uevent('drm', 'add', { devpath: `${CARD}/card1-DP-1` }), display],
    ['a connector that goes', uevent('drm', 'remove', { devpath: `${CARD}/card1-DP-1` }), display],
    ['a camera that comes', uevent('video4linux', 'add'), DEVICES],
    ['a media device that comes', uevent('media', 'add'), DEVICES],
    ['a heap that goes', uevent('dma_heap', 'remove'), DEVICES],
    ['udmabuf', uevent('misc', 'add', { devname: 'udmabuf' }), DEVICES],
  ])('%s is worth a reading', (_title, event, change) => {
    expect(changeOf(event)).toEqual(change);
  });

  it.each([
    ['a card that udev is told of again', uevent('drm', 'change', { devpath: CARD })],
    ['a camera that udev is told of again', uevent('video4linux', 'change')],
    ['another misc device', uevent('misc', 'add', { devname: 'fuse' })],
    ['a misc device without a node', uevent('misc', 'add')],
    ['a network', uevent('net', 'add')],
    ['nothing in particular', uevent('', 'add')],
  ])('%s is not', (_title, event) => {
    expect(changeOf(event)).toBeUndefined();
  });
});

describe('two changes', () => {
  const other = { displays: new Set(['/dev/dri/card0']) };

  it('are one of all their displays', () => {
    const changed = displaysChanged(both(both(display, DEVICES), other));
    expect(['/dev/dri/card0', '/dev/dri/card1', '/dev/dri/card2'].map(changed)).toEqual([true, true, false]);
  });

  it('are of any display when one of them is', () => {
    expect(displaysChanged(both(ANYTHING, display))('/dev/dri/card7')).toBe(true);
    expect(displaysChanged(both(DEVICES, ANYTHING))('/dev/dri/card7')).toBe(true);
  });
});
