import { amdDesktop, eightGpuServer, steamDeck, twoAmdGpus } from './amd.js';
import { imx8mBoard, pinephone, qualcommLaptop, rk3588Board } from './boards.js';
import { intelLaptop, intelNvidiaLaptop } from './intel.js';
import type { Description } from './parts.js';
import { raspberryPi4, raspberryPi5 } from './raspberry-pi.js';
import { virtioGpuGuest } from './virtual.js';

/** The machines of test/fixtures/profiles, by file name; `vitest run FILE -u` of the fixtures' test writes them down. */
export const PROFILES: Readonly<Record<string, Description>> = {
  'amd-desktop': amdDesktop,
  'intel-laptop': intelLaptop,
  'intel-nvidia-laptop': intelNvidiaLaptop,
  'two-amd-gpus': twoAmdGpus,
  'steam-deck': steamDeck,
  'raspberry-pi-4': raspberryPi4,
  'raspberry-pi-5': raspberryPi5,
  'rk3588-board': rk3588Board,
  'imx8m-board': imx8mBoard,
  pinephone,
  'qualcomm-laptop': qualcommLaptop,
  'virtio-gpu-guest': virtioGpuGuest,
  'eight-gpu-server': eightGpuServer,
};
