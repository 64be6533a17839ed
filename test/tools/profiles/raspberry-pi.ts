import type { Device, FormatFact } from '../../../daemon/devices/inventory.js';
import { LINEAR, SAND128, SAND256, SAND64, VC4_T_TILED } from './modifiers.js';
import {
  cmaHeap,
  describe,
  drm,
  dumb,
  iommu,
  MIB,
  modes,
  planes,
  sensor,
  systemHeap,
  udmabuf,
  video,
  type Queue,
} from './parts.js';

const FOURCC = 'include/uapi/drm/drm_fourcc.h of Linux';
const VC4 = 'vc4 and v3d drivers of Linux (vc4_plane.c, vc4_kms.c)';
const CMA_NODE = '/sys/firmware/devicetree/base/reserved-memory/linux,cma';

const RAW =
  'RGGB GRBG GBRG BA81 pRAA pgAA pGAA pBAA RG10 BA10 GB10 BG10 pRCC pgCC pGCC pBCC RG12 GR12 GB12 BG12';

/** Formats that the hardware video scaler reads besides RGB: whole lines, and columns for its own decoders. */
const VIDEO: readonly FormatFact[] = [
  ...planes('NV12 NV21', [LINEAR, SAND64, SAND128, SAND256]),
  ...planes('NV16 NV61 YU12 YV12 YU16 YV16 YU24 YV24', [LINEAR]),
  ...planes('P030', [SAND128]),
];

/** One function of the VideoCore firmware's codec. */
const codec = (number: number, queues: readonly Queue[]): Device =>
  video({ video: number, driver: 'bcm2835-codec', name: 'bcm2835-codec', queues });

const CODEC_MAX = [1920, 1920] as const;

export const raspberryPi4 = describe({
  from: [
    VC4,
    FOURCC,
    'bcm2711-rpi-4-b device tree',
    'bcm2835-unicam, bcm2835-codec, bcm2835-isp and rpi-hevc-dec drivers of the Raspberry Pi kernel',
    'Raspberry Pi documentation: config.txt, vc4-kms-v3d overlay, cameras (High Quality Camera)',
  ],
  machine: {
    name: 'Raspberry Pi 4 Model B Rev 1.4',
    architecture: 'aarch64',
    kernel: '6.12.34+rpt-rpi-v8',
    compatible: ['raspberrypi,4-model-b', 'brcm,bcm2711'],
    commandLine: '/boot/firmware/cmdline.txt',
  },
  ram: 8_192n * MIB - 390n * MIB,
  ramTop: 0x2_0000_0000n,
  devices: [
    drm({
      card: 0,
      render: 128,
      driver: 'v3d',
      name: 'brcm,2711-v3d',
      compatible: ['brcm,2711-v3d'],
    }),
    drm({
      card: 1,
      driver: 'vc4-drm',
      name: 'brcm,bcm2711-vc5',
      compatible: ['brcm,bcm2711-vc5'],
      display: {
        formats: [
          ...planes('XR24 AR24 AB24 XB24 RG16 BG16 AR15 XR15', [VC4_T_TILED, LINEAR]),
          ...planes('RG24 BG24 XR30 AR30 AB30 XB30 AR12 XR12 AB12 XB12', [LINEAR]),
          ...VIDEO,
        ],
        max: [7680, 7680],
        modes: [...modes('HDMI-A-1', '3840x2160@30 1920x1080@60 1280x720@60')],
      },
    }),
    video({
      video: 0,
      driver: 'unicam',
      name: 'unicam-image',
      compatible: ['brcm,bcm2835-unicam'],
      pictures: [sensor('imx477 10-001a', [4056, 3040], 'packed 12-bit Bayer', 12)],
      queues: [
        {
          use: 'capture',
          formats: `YUYV UYVY YVYU VYUY RG16 BG24 R8 ${RAW}`,
          pitch: ['pitch-multiple', 16, 'R8'],
          max: [16376, 16376],
        },
      ],
    }),
    codec(10, [
      {
        use: 'decode',
        formats: 'YU12 YV12 NV12 NV21 RG16',
        others: 'NC12',
        pitch: ['pitch-multiple', 32, 'NV12 NV21'],
      },
    ]),
    codec(11, [
      {
        use: 'encode',
        formats: 'YU12 YV12 NV12 NV21 RG16 BG24 RG24 XR24 AB24',
        others: 'NC12',
        pitch: ['pitch-multiple', 32, 'NV12 NV21'],
        max: CODEC_MAX,
      },
    ]),
    codec(12, [
      {
        use: 'output',
        formats: `YU12 YV12 NV12 NV21 YUYV UYVY YVYU VYUY RG16 BG24 RG24 ${RAW}`,
        max: [16384, 16384],
      },
      {
        use: 'capture',
        formats: 'YU12 YV12 NV12 NV21 YUYV UYVY YVYU VYUY RG16 BG24 RG24',
        max: [16384, 16384],
      },
    ]),
    video({
      video: 13,
      driver: 'bcm2835-isp',
      name: 'bcm2835-isp-output0',
      queues: [{ use: 'output', formats: RAW, max: [16384, 16384] }],
    }),
    video({
      video: 14,
      driver: 'bcm2835-isp',
      name: 'bcm2835-isp-capture0',
      queues: [
        {
          use: 'capture',
          formats: 'YU12 YV12 NV12 NV21 YUYV UYVY YVYU VYUY BG24 RG24 XR24 XB24 RG16',
          // bcm2835_isp_node_try_fmt: its own pitch, whatever is asked for.
          pitch: ['pitch-exact', 32, 'NV12 NV21'],
          max: [16384, 16384],
        },
      ],
    }),
    video({
      video: 16,
      driver: 'bcm2835-isp',
      name: 'bcm2835-isp-stats0',
      queues: [{ use: 'capture', metadata: true }],
    }),
    video({
      video: 19,
      driver: 'rpi-hevc-dec',
      name: 'rpi-hevc-dec',
      compatible: ['brcm,bcm2711-hevc-dec', 'raspberrypi,hevc-dec'],
      queues: [{ use: 'decode', others: 'NC12 NC30' }],
    }),
  ],
  heaps: [
    cmaHeap('linux,cma', 512n * MIB, CMA_NODE, 0x3000_0000n),
    systemHeap,
    udmabuf(),
    dumb(1, 'vc4-drm'),
  ],
});

const PISP_OUT = 'YU12 YV12 NV12 NV21 NV16 NV61 YUYV UYVY YVYU VYUY YU16 YU24 RG16 BG24 RG24 XR24 XB24';

export const raspberryPi5 = describe({
  from: [
    VC4,
    FOURCC,
    'bcm2712-rpi-5-b device tree',
    'rp1-cfe, pispbe and rpi-hevc-dec drivers of the Raspberry Pi kernel',
    'Raspberry Pi documentation: config.txt, vc4-kms-v3d-pi5 overlay, cameras (Camera Module 3)',
  ],
  machine: {
    name: 'Raspberry Pi 5 Model B Rev 1.0',
    architecture: 'aarch64',
    kernel: '6.12.34+rpt-rpi-2712',
    compatible: ['raspberrypi,5-model-b', 'brcm,bcm2712'],
    commandLine: '/boot/firmware/cmdline.txt',
  },
  ram: 8_192n * MIB - 135n * MIB,
  ramTop: 0x2_0000_0000n,
  devices: [
    drm({
      card: 0,
      render: 128,
      driver: 'v3d',
      name: 'brcm,2712-v3d',
      compatible: ['brcm,2712-v3d'],
    }),
    drm({
      card: 1,
      driver: 'vc4-drm',
      name: 'brcm,bcm2712-vc6',
      compatible: ['brcm,bcm2712-vc6'],
      iommu: iommu('DMA', 1),
      display: {
        formats: [
          ...planes('XR24 AR24 AB24 XB24 RG16 BG16 AR15 XR15 RG24 BG24 XR30 AR30 AB30 XB30', [LINEAR]),
          ...VIDEO,
        ],
        max: [8192, 8192],
        modes: [
          ...modes('HDMI-A-1', '3840x2160@60 1920x1080@60 1280x720@60'),
          ...modes('HDMI-A-2', '1920x1080@60'),
        ],
      },
    }),
    video({
      video: 0,
      driver: 'rp1-cfe',
      name: 'rp1-cfe-csi2_ch0',
      compatible: ['raspberrypi,rp1-cfe'],
      iommu: iommu('DMA', 2),
      pictures: [sensor('imx708 10-001a', [4608, 2592], 'packed 10-bit Bayer', 10)],
      queues: [{ use: 'capture', formats: `YUYV UYVY YVYU VYUY RG16 BG24 R8 ${RAW}`, max: [16384, 16384] }],
    }),
    video({
      video: 4,
      driver: 'rp1-cfe',
      name: 'rp1-cfe-fe_image0',
      compatible: ['raspberrypi,rp1-cfe'],
      iommu: iommu('DMA', 2),
      queues: [
        {
          use: 'capture',
          formats: 'RGB6 GR16 GB16 BYR2',
          others: 'PC1R PC1g PC1G PC1B',
          max: [16384, 16384],
        },
      ],
    }),
    video({
      video: 6,
      driver: 'rp1-cfe',
      name: 'rp1-cfe-fe_stats',
      compatible: ['raspberrypi,rp1-cfe'],
      iommu: iommu('DMA', 2),
      queues: [{ use: 'capture', metadata: true }],
    }),
    video({
      video: 19,
      driver: 'rpi-hevc-dec',
      name: 'rpi-hevc-dec',
      compatible: ['brcm,bcm2712-hevc-dec', 'raspberrypi,hevc-dec'],
      iommu: iommu('DMA', 0),
      queues: [{ use: 'decode', others: 'NC12 NC30' }],
    }),
    video({
      video: 20,
      driver: 'pispbe',
      name: 'pispbe-input',
      compatible: ['brcm,bcm2712-pispbe', 'raspberrypi,pispbe'],
      iommu: iommu('DMA', 0),
      queues: [
        {
          use: 'output',
          formats: PISP_OUT,
          others: 'RG16 GR16 GB16 BYR2 PC1R PC1g PC1G PC1B',
          max: [65535, 65535],
        },
      ],
    }),
    video({
      video: 22,
      driver: 'pispbe',
      name: 'pispbe-output0',
      compatible: ['brcm,bcm2712-pispbe', 'raspberrypi,pispbe'],
      iommu: iommu('DMA', 0),
      queues: [
        {
          use: 'capture',
          formats: PISP_OUT,
          pitch: ['pitch-multiple', 16, 'NV12 NV21 NV16 NV61'],
          max: [65535, 65535],
        },
      ],
    }),
  ],
  heaps: [cmaHeap('linux,cma', 64n * MIB, CMA_NODE, 0x4000_0000n), systemHeap, udmabuf(), dumb(1, 'vc4-drm')],
});
