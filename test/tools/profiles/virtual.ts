import { describe, drm, dumb, MIB, modes, plainPlanes, systemHeap, udmabuf } from './parts.js';

/** A guest whose display lives in its host: it takes nobody else's buffers. */
export const virtioGpuGuest = describe({
  from: ['virtio-gpu driver of Linux (virtgpu_plane.c, virtgpu_prime.c)', 'Virtio specification: GPU device'],
  machine: {
    name: 'QEMU Standard PC (Q35 + ICH9, 2009)',
    architecture: 'x86_64',
    kernel: '6.12.43',
    commandLine: '/etc/default/grub',
  },
  ram: 4_096n * MIB - 150n * MIB,
  ramTop: 0x1_8000_0000n,
  devices: [
    drm({
      card: 0,
      render: 128,
      driver: 'virtio_gpu',
      name: 'virtio_gpu',
      display: {
        formats: plainPlanes('XR24 AR24'),
        max: [8192, 8192],
        modes: modes('Virtual-1', '1280x800@60 1920x1080@60'),
      },
    }),
  ],
  heaps: [systemHeap, udmabuf(), dumb(0, 'virtio_gpu')],
  reach: ['dma-heap:system', 'udmabuf'].map((heap) => ({
    device: '/dev/dri/card0',
    heap,
    reachable: false,
    source: 'trial:PRIME_FD_TO_HANDLE:ENODEV',
  })),
});
