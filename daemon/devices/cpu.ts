import { CPU, type Device } from './inventory.js';

/** The pseudo-device for programs that map the buffer; the same on every machine. */
export const CPU_DEVICE: Device = {
  node: CPU,
  otherNodes: [],
  number: '',
  otherNumbers: [],
  subsystem: 'cpu',
  driver: '',
  compatible: [],
  name: 'programs that map the buffer',
  uses: ['read', 'write'],
  formats: [],
  limits: [],
  modes: [],
  iommu: { value: 'none', source: 'kernel:mmap' },
};
