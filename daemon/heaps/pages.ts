/** Bytes rounded up to whole pages: what the kernel's allocators take, and what a buffer really costs. */
export const wholePages = (size: bigint, pageSize: bigint): bigint =>
  ((size + pageSize - 1n) / pageSize) * pageSize;
