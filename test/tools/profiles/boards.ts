import { afbc, LINEAR, QCOM_COMPRESSED } from './modifiers.js';
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
  tiled,
  udmabuf,
  video,
  webcam,
} from './parts.js';

const FOURCC = 'include/uapi/drm/drm_fourcc.h of Linux';
const ALLWINNER_TILED = 0x0900_0000_0000_0001n;

/** Layouts of the compressed windows, in the driver's order. */
const ROCKCHIP_AFBC = [
  afbc(),
  afbc('sparse'),
  afbc('ytr'),
  afbc('cbr'),
  afbc('ytr', 'sparse'),
  afbc('cbr', 'sparse'),
  afbc('ytr', 'cbr'),
  afbc('ytr', 'cbr', 'sparse'),
  afbc('ytr', 'sparse', 'split'),
];

const RGA = 'AB24 XB24 AR24 XR24 BG24 AR12 AR15 RG16 NV12 NV21 NV16 NV61 YU12 YU16';

export const rk3588Board = describe({
  from: [
    'rockchip, panthor, hantro-vpu, rockchip-rga and snps_hdmirx drivers of Linux (rockchip_vop2_reg.c)',
    FOURCC,
    'rk3588 device tree',
    'RK3588 data sheet',
  ],
  machine: {
    name: 'Radxa ROCK 5B',
    architecture: 'aarch64',
    kernel: '6.18.1',
    compatible: ['radxa,rock-5b', 'rockchip,rk3588'],
    commandLine: '/boot/extlinux/extlinux.conf',
  },
  ram: 16_384n * MIB - 480n * MIB,
  ramTop: 0x4_0000_0000n,
  devices: [
    drm({
      card: 0,
      driver: 'rockchip-drm',
      name: 'rockchip,display-subsystem',
      compatible: ['rockchip,display-subsystem'],
      display: {
        formats: [
          ...planes('XR24 AR24 XB24 AB24 RG24 BG24 RG16 BG16', [LINEAR, ...ROCKCHIP_AFBC]),
          ...planes('NV12 NV21 NV15 NV16 NV61 NV20 NV24 NV42 NV30 YVYU VYUY UYVY', [LINEAR]),
          ...planes('YUYV', [LINEAR, ...ROCKCHIP_AFBC]),
          ...planes('XR30 XB30 YU08 YU10 Y210', ROCKCHIP_AFBC),
        ],
        max: [8192, 8192],
        modes: modes('HDMI-A-1', '3840x2160@60 1920x1080@60'),
      },
    }),
    drm({
      card: 1,
      render: 128,
      driver: 'panthor',
      name: 'rockchip,rk3588-mali',
      compatible: ['rockchip,rk3588-mali', 'arm,mali-valhall-csf'],
    }),
    video({
      video: 0,
      driver: 'rockchip-rga',
      name: 'rockchip-rga',
      compatible: ['rockchip,rk3588-rga', 'rockchip,rk3288-rga'],
      queues: [
        { use: 'output', formats: RGA, max: [8192, 8192] },
        { use: 'capture', formats: RGA, max: [8192, 8192] },
      ],
    }),
    video({
      video: 1,
      driver: 'hantro-vpu',
      name: 'rockchip,rk3588-vpu121-dec',
      compatible: ['rockchip,rk3588-vpu121', 'rockchip,rk3568-vpu'],
      iommu: iommu('DMA', 4),
      queues: [{ use: 'decode', formats: 'NV12', pitch: ['pitch-exact', 16, 'NV12'] }],
    }),
    video({
      video: 2,
      driver: 'hantro-vpu',
      name: 'rockchip,rk3588-vepu121-enc',
      compatible: ['rockchip,rk3588-vepu121', 'rockchip,rk3568-vepu'],
      iommu: iommu('DMA', 5),
      queues: [{ use: 'encode', formats: 'YU12 NV12 YUYV UYVY', max: [8192, 8192] }],
    }),
    video({
      video: 3,
      driver: 'hantro-vpu',
      name: 'rockchip,rk3588-av1-vpu-dec',
      compatible: ['rockchip,rk3588-av1-vpu'],
      iommu: iommu('DMA', 6),
      queues: [
        { use: 'decode', formats: 'NV12 P010', others: 'VT12 VT15', pitch: ['pitch-exact', 16, 'NV12'] },
      ],
    }),
    video({
      video: 4,
      driver: 'snps_hdmirx',
      name: 'stream_hdmirx',
      compatible: ['rockchip,rk3588-hdmirx-ctrler'],
      memoryRegion: 'hdmi-receiver-cma',
      queues: [
        {
          use: 'capture',
          formats: 'RG24 NV24 NV16 NV12',
          pitch: ['pitch-exact', 64, 'NV24 NV16 NV12'],
          max: [4096, 2160],
        },
      ],
    }),
  ],
  heaps: [
    cmaHeap('default_cma_region', 256n * MIB, '/proc/meminfo'),
    systemHeap,
    udmabuf(),
    dumb(0, 'rockchip-drm'),
  ],
});

export const imx8mBoard = describe({
  from: [
    'mxsfb, etnaviv, hantro-vpu, imx7-csi and ov5640 drivers of Linux',
    FOURCC,
    'imx8mm-evk device tree',
    'i.MX 8M Mini applications processor reference manual',
  ],
  machine: {
    name: 'FSL i.MX8MM EVK board',
    architecture: 'aarch64',
    kernel: '6.12.20',
    compatible: ['fsl,imx8mm-evk', 'fsl,imx8mm'],
  },
  ram: 2_048n * MIB - 55n * MIB,
  ramTop: 0xc000_0000n,
  devices: [
    drm({
      card: 0,
      render: 128,
      driver: 'etnaviv',
      name: 'etnaviv',
    }),
    drm({
      card: 1,
      driver: 'mxsfb',
      name: 'fsl,imx8mm-lcdif',
      compatible: ['fsl,imx8mm-lcdif', 'fsl,imx6sx-lcdif'],
      display: {
        formats: planes('RG16 XR24 AR24 AB24 XB24', [LINEAR]),
        max: [4096, 4096],
        modes: modes('HDMI-A-1', '1920x1080@60 1280x720@60'),
      },
    }),
    video({
      video: 0,
      driver: 'imx7-csi',
      name: 'csi capture',
      compatible: ['fsl,imx8mm-csi'],
      pictures: [sensor('ov5640 2-003c', [2592, 1944], '4:2:2 YUV', 16)],
      queues: [
        {
          use: 'capture',
          formats: 'UYVY YUYV R8 R10 R12 R16 RGGB GRBG GBRG BA81 RG10 BA10 GB10 BG10 RG12 GR12 GB12 BG12',
          pitch: ['pitch-exact', 8, 'UYVY YUYV'],
          max: [65535, 65535],
        },
      ],
    }),
    video({
      video: 1,
      driver: 'hantro-vpu',
      name: 'nxp,imx8mm-vpu-g1-dec',
      compatible: ['nxp,imx8mm-vpu-g1'],
      queues: [{ use: 'decode', formats: 'NV12', pitch: ['pitch-exact', 16, 'NV12'] }],
    }),
    video({
      video: 2,
      driver: 'hantro-vpu',
      name: 'nxp,imx8mq-vpu-g2-dec',
      compatible: ['nxp,imx8mq-vpu-g2'],
      queues: [{ use: 'decode', formats: 'NV12 P010', others: 'VT12', pitch: ['pitch-exact', 16, 'NV12'] }],
    }),
  ],
  heaps: [
    cmaHeap('linux,cma', 640n * MIB, '/sys/firmware/devicetree/base/reserved-memory/linux,cma', 0xc000_0000n),
    systemHeap,
    udmabuf(),
    dumb(1, 'mxsfb'),
  ],
});

export const pinephone = describe({
  from: [
    'sun4i-drm, lima, cedrus, sun6i-csi, sun8i-di, ov5640 and gc2145 drivers of Linux',
    FOURCC,
    'sun50i-a64-pinephone device tree',
    'Allwinner A64 user manual',
  ],
  machine: {
    name: 'Pine64 PinePhone (1.2)',
    architecture: 'aarch64',
    kernel: '6.15.4',
    compatible: ['pine64,pinephone-1.2', 'pine64,pinephone', 'allwinner,sun50i-a64'],
    commandLine: '/etc/default/u-boot',
  },
  ram: 3_072n * MIB - 70n * MIB,
  ramTop: 0x1_0000_0000n,
  devices: [
    drm({
      card: 0,
      driver: 'sun4i-drm',
      name: 'allwinner,sun50i-a64-display-engine',
      compatible: ['allwinner,sun50i-a64-display-engine'],
      display: {
        formats: planes(
          'AR12 AB12 RA12 BA12 AR15 AB15 RA15 BA15 AR24 AB24 RA24 BA24 XR24 XB24 RX24 BX24 RG16 BG16 RG24 BG24 NV12 NV21 NV16 NV61 YUYV YVYU UYVY VYUY YU12 YV12 YU16 YV16 YU11 YV11',
          [LINEAR],
        ),
        max: [8192, 8192],
        modes: modes('DSI-1', '720x1440@60'),
      },
    }),
    drm({
      card: 1,
      render: 128,
      driver: 'lima',
      name: 'allwinner,sun50i-a64-mali',
      compatible: ['allwinner,sun50i-a64-mali', 'arm,mali-400'],
    }),
    video({
      video: 0,
      driver: 'sun8i-di',
      name: 'sun8i-di',
      compatible: ['allwinner,sun50i-a64-deinterlace', 'allwinner,sun8i-h3-deinterlace'],
      queues: [
        { use: 'output', formats: 'NV12 NV21', pitch: ['pitch-multiple', 2, 'NV12 NV21'], max: [2048, 2048] },
        {
          use: 'capture',
          formats: 'NV12 NV21',
          pitch: ['pitch-multiple', 2, 'NV12 NV21'],
          max: [2048, 2048],
        },
      ],
    }),
    video({
      video: 1,
      driver: 'cedrus',
      name: 'cedrus',
      compatible: ['allwinner,sun50i-a64-video-engine'],
      queues: [
        {
          use: 'decode',
          formats: 'NV12',
          more: tiled('decode', 'NV12', [ALLWINNER_TILED]),
          pitch: ['pitch-exact', 16, 'NV12'],
        },
      ],
    }),
    video({
      video: 2,
      driver: 'sun6i-csi',
      name: 'sun6i-csi-capture',
      compatible: ['allwinner,sun50i-a64-csi'],
      pictures: [
        sensor('ov5640 4-004c', [2592, 1944], '4:2:2 YUV', 16),
        sensor('gc2145 4-003c', [1600, 1200], '4:2:2 YUV', 16),
      ],
      queues: [
        {
          use: 'capture',
          formats:
            'YUYV YVYU UYVY VYUY NV12 NV21 NV16 NV61 YU12 YU16 RG16 BA81 GBRG GRBG RGGB BG10 GB10 BA10 RG10',
          others: 'JPEG',
          max: [4800, 4800],
        },
      ],
    }),
  ],
  heaps: [cmaHeap('reserved', 256n * MIB, '/proc/meminfo'), systemHeap, udmabuf(), dumb(0, 'sun4i-drm')],
});

export const qualcommLaptop = describe({
  from: [
    'msm and venus drivers of Linux (dpu_hw_catalog.c, dpu_plane.c)',
    FOURCC,
    'Universal Video Class driver of Linux (uvcvideo)',
    'sc8280xp-lenovo-thinkpad-x13s device tree',
  ],
  machine: {
    name: 'Lenovo ThinkPad X13s Gen 1',
    architecture: 'aarch64',
    kernel: '6.14.11',
    compatible: ['lenovo,thinkpad-x13s', 'qcom,sc8280xp'],
    commandLine: '/etc/default/grub',
  },
  ram: 32_768n * MIB - 1_250n * MIB,
  ramTop: 0x8_8000_0000n,
  devices: [
    drm({
      card: 0,
      render: 128,
      driver: 'msm_dpu',
      name: 'qcom,sc8280xp-dpu',
      compatible: ['qcom,sc8280xp-dpu'],
      iommu: iommu('DMA', 12),
      display: {
        formats: [
          ...planes('AR24 AB24 XR24 XB24 AR30 XR30 RG16', [LINEAR, QCOM_COMPRESSED]),
          ...planes(
            'RA24 BX24 RX24 BA24 RG24 BG24 BG16 AR15 AB15 RA15 BA15 XR15 XB15 RX15 BX15 AR12 AB12 RA12 BA12 XR12 XB12 RX12 BX12 NV21 NV16 NV61 VYUY UYVY YUYV YVYU YU12 YV12',
            [LINEAR],
          ),
          ...planes('NV12 P010', [LINEAR, QCOM_COMPRESSED]),
        ],
        max: [5120, 4096],
        modes: modes('eDP-1', '1920x1200@60'),
      },
    }),
    video({
      video: 0,
      driver: 'qcom-venus',
      name: 'Qualcomm Venus video decoder',
      compatible: ['qcom,sc8280xp-venus'],
      iommu: iommu('DMA', 20),
      queues: [
        {
          use: 'decode',
          formats: 'NV12',
          more: tiled('decode', 'NV12', [QCOM_COMPRESSED]),
          others: 'Q10C',
          pitch: ['pitch-exact', 128, 'NV12'],
        },
      ],
    }),
    video({
      video: 1,
      driver: 'qcom-venus',
      name: 'Qualcomm Venus video encoder',
      compatible: ['qcom,sc8280xp-venus'],
      iommu: iommu('DMA', 20),
      queues: [{ use: 'encode', formats: 'NV12', pitch: ['pitch-exact', 128, 'NV12'], max: [8192, 8192] }],
    }),
    ...webcam(2, 'Integrated RGB Camera', [1920, 1080]),
  ],
  heaps: [
    cmaHeap('linux,cma', 128n * MIB, '/sys/firmware/devicetree/base/reserved-memory/linux,cma'),
    systemHeap,
    udmabuf(),
    dumb(0, 'msm_dpu'),
  ],
});
