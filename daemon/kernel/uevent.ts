/** What the kernel says of a device that comes, goes or changes (kobject_uevent_env in lib/kobject_uevent.c). */
export interface Uevent {
  /** `add`, `remove`, `change`, `move`, `online`, `offline`, `bind` or `unbind`. */
  readonly action: string;
  /** Below /sys: `/devices/pci0000:00/0000:00:02.0/drm/card0`. */
  readonly devpath: string;
  /** Empty where the kernel names none. */
  readonly subsystem: string;
  /** Node below /dev, of a device that has one: `dri/card0`. */
  readonly devname?: string;
  /** Counts the events of this kernel. */
  readonly seqnum?: bigint;
  /** Whether a DRM driver says that a display was plugged or unplugged (`HOTPLUG=1`). */
  readonly hotplug: boolean;
}

const HEADER = /^([a-z]+)@(\/.*)$/s;

/**
 * Reads one datagram of the kernel's: `ACTION@DEVPATH` and then `KEY=VALUE`, each ended by NUL. Undefined for what is of
 * another shape, such as the messages of udev.
 */
export function parseUevent(datagram: Buffer): Uevent | undefined {
  const [header = '', ...assignments] = datagram.toString('utf8').split('\0');
  const [, action, devpath] = HEADER.exec(header) ?? [];
  if (action === undefined || devpath === undefined) return undefined;
  const values = valuesOf(assignments);
  const devname = values.get('DEVNAME');
  const seqnum = values.get('SEQNUM');
  return {
    action,
    devpath,
    subsystem: values.get('SUBSYSTEM') ?? '',
    ...(devname !== undefined && { devname }),
    ...(seqnum !== undefined && /^\d{1,20}$/.test(seqnum) && { seqnum: BigInt(seqnum) }),
    hotplug: values.get('HOTPLUG') === '1',
  };
}

/** By key; of a key that is there twice, the first. */
function valuesOf(assignments: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    const key = assignment.slice(0, Math.max(equals, 0));
    if (equals > 0 && !values.has(key)) values.set(key, assignment.slice(equals + 1));
  }
  return values;
}
