import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** A device that the machine can lose and get back, as when somebody pulls a plug. */
export interface Plug {
  /** As its Device object names the driver. */
  readonly driver: string;
  readonly out: () => void;
  readonly in: () => void;
}

/** A display without hardware, whose driver is unloaded and loaded. */
export const VKMS: Plug = {
  driver: 'vkms',
  out: () => {
    execFileSync('rmmod', ['vkms']);
  },
  in: () => {
    execFileSync('insmod', ['/modules/vkms.ko']);
  },
};

const bind = (bus: string, driver: string, device: string): Plug => {
  const directory = `/sys/bus/${bus}/drivers/${driver}`;
  return {
    driver,
    out: () => {
      writeFileSync(`${directory}/unbind`, device);
    },
    in: () => {
      writeFileSync(`${directory}/bind`, device);
    },
  };
};

/** A camera that is taken from its driver and given back. */
export const VIVID: Plug = bind('platform', 'vivid', 'vivid.0');
