import { type Device, type Inventory, CPU_DEVICE } from '../../daemon/devices/inventory.js';
import { GPU, machine } from '../daemon/machine.js';

/** Fourccs that have a layout here. */
const FORMATS = [
  ...['XR24', 'AR24', 'XB24', 'AB24', 'RX24', 'RA24', 'BX24', 'BA24', 'RG24', 'BG24'],
  ...['RG16', 'BG16', 'XR30', 'AR30', 'XB30', 'AB30', 'NV12', 'NV21', 'YU12', 'YUYV'],
] as const;

/** How much a device can do. */
export interface Skill {
  readonly formats: number;
  /** Of each format. */
  readonly modifiers: number;
}

/** The least and the most that a scale goes over: 10 pairs of a format and a modifier, and 2,000. */
export const POOR: Skill = { formats: 10, modifiers: 1 };
export const RICH: Skill = { formats: FORMATS.length, modifiers: 100 };

/** So many pairs, over as many formats as there are where they divide evenly. */
export function skillOf(pairs: number): Skill {
  const formats = [FORMATS.length, POOR.formats].find((count) => pairs % count === 0);
  if (formats === undefined) throw new Error(`${pairs} pairs do not divide into formats`);
  return { formats, modifiers: pairs / formats };
}

/** GPUs that all take so many formats with so many modifiers each. */
export const sizedDevices = (count: number, skill: Skill): readonly Device[] =>
  Array.from({ length: count }, (_, index) => device(index, skill));

/** A machine of those, and the CPU. */
export const machineWith = (devices: readonly Device[]): Inventory =>
  machine(undefined, [CPU_DEVICE, ...devices]);

const device = (index: number, { formats, modifiers }: Skill): Device => ({
  ...GPU,
  node: `/dev/dri/card${index}`,
  otherNodes: [],
  number: `226:${index}`,
  otherNumbers: [],
  formats: FORMATS.slice(0, formats).map((format) => ({
    format,
    modifiers: Array.from({ length: modifiers }, (_, i) => (i === 0 ? 0n : 0x0100000000000000n + BigInt(i))),
    uses: ['scanout', 'render'],
    source: 'kernel:IN_FORMATS',
  })),
});
