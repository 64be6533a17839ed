import type { Device } from './inventory.js';

/** IOMMU group types under which the addresses that a device sees are not RAM's own. */
const TRANSLATING: ReadonlySet<string> = new Set(['DMA', 'DMA-FQ']);

/** Whether an IOMMU stands between the device and RAM, so that scattered and high pages will do for it. */
export const isTranslated = (device: Device): boolean => TRANSLATING.has(device.iommu.value);
