import { iow, iowr } from './ioctl.js';
import { KernelStruct } from './struct.js';

/** linux/dma-heap.h */
export const dmaHeapAllocation = new KernelStruct('dma_heap_allocation_data', {
  len: 'uint64',
  fd: 'uint32',
  fd_flags: 'uint32',
  heap_flags: 'uint64',
});
export const DMA_HEAP_IOCTL_ALLOC = iowr('DMA_HEAP_IOCTL_ALLOC', 'H', 0, dmaHeapAllocation.size);

/** linux/udmabuf.h */
export const udmabufCreate = new KernelStruct('udmabuf_create', {
  memfd: 'uint32',
  flags: 'uint32',
  offset: 'uint64',
  size: 'uint64',
});
export const UDMABUF_CREATE = iow('UDMABUF_CREATE', 'u', 0x42, udmabufCreate.size);

/** linux/dma-buf.h: the variant whose number says 64 bits, which is what a pointer has on the supported machines. */
export const DMA_BUF_SET_NAME = iow('DMA_BUF_SET_NAME_B', 'b', 1, BigUint64Array.BYTES_PER_ELEMENT);

export const dmaBufSync = new KernelStruct('dma_buf_sync', { flags: 'uint64' });
export const DMA_BUF_IOCTL_SYNC = iow('DMA_BUF_IOCTL_SYNC', 'b', 0, dmaBufSync.size);
export const DMA_BUF_SYNC_WRITE = 2 << 0;
export const DMA_BUF_SYNC_START = 0 << 2;
export const DMA_BUF_SYNC_END = 1 << 2;

/** sys/mman.h */
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
