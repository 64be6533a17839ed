import {
  type Device,
  type Inventory,
  type Machine,
  type Mode,
  type PictureFact,
  CPU_DEVICE,
} from '../../../daemon/devices/inventory.js';
import type { Policy } from '../../../daemon/policy/policy.js';
import { measure, type Measured } from '../../../daemon/sizing/simulate.js';
import { planPools } from '../../../daemon/sizing/plan.js';
import { CAMERA, GPU, machine, policyOf, SYSTEM } from '../machine.js';

export const picture = (
  camera: string,
  width: number,
  height: number,
  bits: number,
  format = `packed ${bits}-bit Bayer`,
): PictureFact => ({ camera, width, height, format, bits, source: 'kernel:test' });

const shown = (width: number, height: number): Mode => ({
  connector: 'HDMI-A-1',
  width,
  height,
  refresh: 60,
  preferred: true,
  current: true,
});

/** A GPU with one display. */
export const display = (width: number, height: number, more: Partial<Device> = {}): Device => ({
  ...GPU,
  modes: [shown(width, height)],
  ...more,
});

/** A receiver with one camera. */
export const camera = (width: number, height: number, bits = 10, more: Partial<Device> = {}): Device => ({
  ...CAMERA,
  pictures: [picture('a camera', width, height, bits)],
  ...more,
});

/** A machine of these devices, with so much RAM in MiB. */
export function board(
  devices: readonly Device[],
  heaps: Inventory['heaps'] = [SYSTEM],
  ram = 1024n,
  more: Partial<Machine> = {},
): Inventory {
  const inventory = machine(heaps, [CPU_DEVICE, ...devices]);
  return {
    ...inventory,
    machine: { ...inventory.machine, ram: { value: ram << 20n, source: 'kernel:test' }, ...more },
  };
}

/** What the machine is measured to be, under the text of one policy file. */
export function measured(inventory: Inventory, text: string | Policy): Measured {
  const policy = typeof text === 'string' ? policyOf(text) : text;
  return measure(inventory, policy, planPools(inventory, policy));
}
