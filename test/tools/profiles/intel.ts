import { INTEL_GEN12, INTEL_X_TILED, LINEAR, nvidiaBlockLinear } from './modifiers.js';
import { describe, drm, dumb, iommu, MIB, modes, planes, systemHeap, udmabuf, webcam } from './parts.js';

const DRIVER = 'i915 driver of Linux (display/skl_universal_plane.c, display/intel_fb.c, i915_pci.c)';
const FOURCC = 'include/uapi/drm/drm_fourcc.h of Linux';
const UVC = 'Universal Video Class driver of Linux (uvcvideo)';

const { media, clearColor, render, yTiled } = INTEL_GEN12;
const TILED = [yTiled, INTEL_X_TILED, LINEAR];

/** What planes of display version 12 and 13 take, all of them together. */
const PLANES = [
  ...planes('C8 RG16 XR4H XB4H AR4H AB4H XR30 XB30 AR30 AB30', TILED),
  ...planes('XR24 XB24 AR24 AB24', [clearColor, render, ...TILED]),
  ...planes('YUYV YVYU UYVY VYUY NV12 P010 P012 P016 XYUV', [media, ...TILED]),
  ...planes('Y210 Y212 Y216 XV30 XV36 XV48', TILED),
];
const MAX = [16384, 16384] as const;

export const intelLaptop = describe({
  from: [DRIVER, FOURCC, UVC, '12th generation Intel Core processors data sheet'],
  machine: {
    name: 'Laptop (Core i7-1260P)',
    architecture: 'x86_64',
    kernel: '6.12.41',
    commandLine: '/etc/kernel/cmdline',
  },
  ram: 16_384n * MIB - 560n * MIB,
  ramTop: 0x4_8080_0000n,
  devices: [
    drm({
      card: 0,
      render: 128,
      driver: 'i915',
      name: 'i915 8086:46a6',
      pci: '8086:46a6',
      dmaMaskBits: 39,
      iommu: iommu('DMA-FQ', 0),
      display: { formats: PLANES, max: MAX, modes: modes('eDP-1', '1920x1200@60 1920x1200@48') },
    }),
    ...webcam(0, 'Integrated Camera', [1920, 1080]),
  ],
  heaps: [systemHeap, udmabuf(), dumb(0, 'i915')],
});

/** The Intel GPU has the panel, the Nvidia one the socket for a second screen. */
export const intelNvidiaLaptop = describe({
  from: [
    DRIVER,
    FOURCC,
    UVC,
    'NVIDIA open GPU kernel modules (nvidia-drm)',
    '11th generation Intel Core processors data sheet',
  ],
  machine: {
    name: 'Laptop (Core i7-11800H, GeForce RTX 3060)',
    architecture: 'x86_64',
    kernel: '6.12.38',
    commandLine: '/etc/kernel/cmdline',
  },
  ram: 32_768n * MIB - 760n * MIB,
  ramTop: 0x8_8080_0000n,
  devices: [
    drm({
      card: 0,
      render: 128,
      driver: 'i915',
      name: 'i915 8086:9a60',
      pci: '8086:9a60',
      dmaMaskBits: 39,
      iommu: iommu('DMA-FQ', 0),
      display: { formats: PLANES, max: MAX, modes: modes('eDP-1', '1920x1080@144 1920x1080@60') },
    }),
    drm({
      card: 1,
      render: 129,
      driver: 'nvidia',
      name: 'nvidia 10de:2520',
      pci: '10de:2520',
      dmaMaskBits: 47,
      iommu: iommu('DMA-FQ', 15),
      display: {
        formats: [
          ...planes('AR24 XR24 AB24 XB24 AR30 XR30 AB30 XB30 RG16 XR15 AR15 AB4H XB4H YUYV UYVY', [
            ...[5, 4, 3, 2, 1, 0].map(nvidiaBlockLinear),
            LINEAR,
          ]),
          ...planes('NV12 NV21 NV16 NV61 NV24 P010 P012', [
            ...[5, 4, 3, 2, 1, 0].map(nvidiaBlockLinear),
            LINEAR,
          ]),
        ],
        max: [32767, 32767],
        modes: modes('HDMI-A-1', '3840x2160@60 1920x1080@60'),
      },
    }),
    ...webcam(0, 'Integrated Camera', [1280, 720]),
  ],
  heaps: [systemHeap, udmabuf(), dumb(0, 'i915'), dumb(1, 'nvidia')],
});
