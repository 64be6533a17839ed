import type { FormatFact } from '../../../daemon/devices/inventory.js';
import { amdRdna2, amdRdna3, LINEAR, type AmdModifiers } from './modifiers.js';
import { describe, drm, dumb, GIB, iommu, MIB, modes, planes, systemHeap, udmabuf, webcam } from './parts.js';

const DRIVER = 'amdgpu driver of Linux (display/amdgpu_dm/amdgpu_dm_plane.c, gmc_v10_0.c, gmc_v11_0.c)';
const FOURCC = 'include/uapi/drm/drm_fourcc.h of Linux';
const UVC = 'Universal Video Class driver of Linux (uvcvideo)';
const MAX = [16384, 16384] as const;

/** What amdgpu's planes take: compression for 4 bytes a pixel, swizzle D for 8. */
const amdPlanes = ({ compressed, tiled, tiledWide }: AmdModifiers): readonly FormatFact[] => [
  ...planes('XR24 AR24 RA24 XR30 XB30 AR30 AB30 XB24 AB24', [...compressed, ...tiled, LINEAR]),
  ...planes('XR48 XB48 AR48 AB48 XR4H AR4H XB4H AB4H', [...tiled, ...tiledWide, LINEAR]),
  ...planes('RG16 NV12 P010', [...tiled, LINEAR]),
];

/** A tower with one large GPU and two screens. */
export const amdDesktop = describe({
  from: [DRIVER, FOURCC, UVC, 'Radeon RX 6800 XT specifications'],
  machine: {
    name: 'AMD desktop (Ryzen 9 5950X, Radeon RX 6800 XT)',
    architecture: 'x86_64',
    kernel: '6.12.43',
    commandLine: '/etc/default/grub',
  },
  ram: 32_768n * MIB - 900n * MIB,
  ramTop: 0x8_4000_0000n,
  devices: [
    drm({
      card: 0,
      render: 128,
      driver: 'amdgpu',
      name: 'amdgpu 1002:73bf',
      pci: '1002:73bf',
      dmaMaskBits: 44,
      iommu: iommu('DMA-FQ', 26),
      display: {
        formats: amdPlanes(amdRdna2(4, 4)),
        max: MAX,
        modes: [
          ...modes('DP-1', '3840x2160@60 2560x1440@60 1920x1080@60'),
          ...modes('HDMI-A-1', '2560x1440@144 1920x1080@120'),
        ],
      },
    }),
    ...webcam(0, 'HD Pro Webcam C920', [2304, 1536]),
  ],
  heaps: [systemHeap, udmabuf(), dumb(0, 'amdgpu')],
});

/** A large GPU next to the one inside the processor, each with a screen. */
export const twoAmdGpus = describe({
  from: [DRIVER, FOURCC, 'Radeon RX 7900 XTX specifications', 'Ryzen 9 7950X specifications'],
  machine: {
    name: 'AMD desktop (Ryzen 9 7950X, Radeon RX 7900 XTX)',
    architecture: 'x86_64',
    kernel: '6.14.9',
    commandLine: '/etc/default/grub',
  },
  ram: 65_536n * MIB - 2_600n * MIB,
  ramTop: 0x10_5000_0000n,
  devices: [
    drm({
      card: 0,
      render: 128,
      driver: 'amdgpu',
      name: 'amdgpu 1002:744c',
      pci: '1002:744c',
      dmaMaskBits: 44,
      iommu: iommu('DMA-FQ', 16),
      display: {
        formats: amdPlanes(amdRdna3(5, 5)),
        max: MAX,
        modes: modes('DP-1', '3840x2160@144 3840x2160@60 2560x1440@144'),
      },
    }),
    drm({
      card: 1,
      render: 129,
      driver: 'amdgpu',
      name: 'amdgpu 1002:164e',
      pci: '1002:164e',
      dmaMaskBits: 44,
      iommu: iommu('DMA-FQ', 31),
      display: {
        formats: amdPlanes(amdRdna2(2, 1)),
        max: MAX,
        modes: modes('HDMI-A-1', '1920x1080@60 1280x720@60'),
      },
    }),
  ],
  heaps: [systemHeap, udmabuf(), dumb(0, 'amdgpu'), dumb(1, 'amdgpu')],
});

/** A hand-held: its panel stands upright, so that its mode is higher than wide. */
export const steamDeck = describe({
  from: [DRIVER, FOURCC, 'Steam Deck tech specs'],
  machine: {
    name: 'Valve Jupiter',
    architecture: 'x86_64',
    kernel: '6.11.11-valve',
    commandLine: '/etc/default/grub',
  },
  ram: 16_384n * MIB - 1_600n * MIB,
  ramTop: 0x3_ee00_0000n,
  devices: [
    drm({
      card: 0,
      render: 128,
      driver: 'amdgpu',
      name: 'amdgpu 1002:163f',
      pci: '1002:163f',
      dmaMaskBits: 44,
      iommu: iommu('DMA-FQ', 4),
      display: {
        formats: amdPlanes(amdRdna2(2, 1)),
        max: MAX,
        modes: modes('eDP-1', '800x1280@60'),
      },
    }),
  ],
  heaps: [systemHeap, udmabuf(), dumb(0, 'amdgpu')],
});

/** A rack server: eight accelerators without a screen, and the management controller's VGA. */
export const eightGpuServer = describe({
  from: [
    DRIVER,
    'amdgpu driver of Linux (gmc_v9_0.c)',
    'ast driver of Linux (ast_mode.c)',
    'Instinct MI300X data sheet',
  ],
  machine: {
    name: 'Server with eight Instinct MI300X',
    architecture: 'x86_64',
    kernel: '6.8.12',
    commandLine: '/etc/default/grub',
  },
  ram: 2_048n * GIB - 33n * GIB,
  ramTop: 0x203_8000_0000n,
  devices: [
    drm({
      card: 0,
      driver: 'ast',
      name: 'ast 1a03:2000',
      pci: '1a03:2000',
      dmaMaskBits: 32,
      iommu: iommu('identity', 40),
      display: {
        formats: planes('XR24 RG16 C8', [LINEAR]),
        max: [1920, 2048],
        modes: modes('VGA-1', '1024x768@60 800x600@60'),
      },
    }),
    ...Array.from({ length: 8 }, (_, i) =>
      drm({
        card: i + 1,
        render: 128 + i,
        driver: 'amdgpu',
        name: 'amdgpu 1002:74a1',
        pci: '1002:74a1',
        dmaMaskBits: 48,
        iommu: iommu('identity', 60 + i),
      }),
    ),
  ],
  heaps: [
    systemHeap,
    udmabuf(),
    dumb(0, 'ast'),
    ...Array.from({ length: 8 }, (_, i) => dumb(i + 1, 'amdgpu')),
  ],
});
