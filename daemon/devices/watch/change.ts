import type { Uevent } from '../../kernel/uevent.js';

/** What may have changed since the machine was last read: devices have come or gone, or displays. */
export interface Change {
  /** Primary nodes whose displays may have been plugged or unplugged. */
  readonly displays: ReadonlySet<string> | 'all';
}

/** Devices alone. */
export const DEVICES: Change = { displays: new Set() };
/** Whatever there is, as when events were lost. */
export const ANYTHING: Change = { displays: 'all' };

export const both = (a: Change, b: Change): Change =>
  a.displays === 'all' || b.displays === 'all'
    ? ANYTHING
    : { displays: new Set([...a.displays, ...b.displays]) };

export const displaysChanged =
  ({ displays }: Change): ((node: string) => boolean) =>
  (node) =>
    displays === 'all' || displays.has(node);

/** What an event of the kernel makes worth reading again; undefined of the many that are about something else. */
export function changeOf(uevent: Uevent): Change | undefined {
  const { subsystem, action, devname } = uevent;
  if (subsystem === 'drm') return drmChange(uevent);
  if (action === 'change') return undefined;
  const isDevice = ['video4linux', 'media', 'dma_heap'].includes(subsystem);
  return isDevice || (subsystem === 'misc' && devname === 'udmabuf') ? DEVICES : undefined;
}

/** A card, a render node, or a connector below its card; a connector comes after its card, and has the modes. */
function drmChange({ action, devpath, hotplug }: Uevent): Change | undefined {
  const [, card, below] = /\/drm\/(card\d+)(\/.+)?$/.exec(devpath) ?? [];
  const isOfDisplay = below !== undefined || (action === 'change' && hotplug);
  if (card !== undefined && isOfDisplay) return { displays: new Set([`/dev/dri/${card}`]) };
  return action === 'change' ? undefined : DEVICES;
}
