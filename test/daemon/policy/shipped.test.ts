import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { MEMORY_CLASSES } from '../../../dbus/names.js';
import { BROKER_KEYS, DEVICE_KEYS, POOL_KEYS } from '../../../daemon/policy/keys.js';
import { loadPolicy } from '../../../daemon/policy/load.js';
import { parsePolicyFile } from '../../../daemon/policy/parse.js';
import type { Policy, RuleSubject } from '../../../daemon/policy/policy.js';

const shipped = fileURLToPath(new URL('../../../policy', import.meta.url));
let policy: Policy;
beforeAll(async () => {
  policy = await loadPolicy({ root: '/nonexistent', shipped });
});

const driver = (name: string, rest: Partial<RuleSubject> = {}): RuleSubject => ({
  driver: name,
  compatible: [],
  number: '226:0',
  ...rest,
});

/** Limits as one line each: `pitch-multiple 64`, `pitch-multiple 512 NV12,P010`. */
const say = (subject: RuleSubject): readonly string[] => {
  const { limits, contiguous, foreignImports, foreignImportsFor = [], tryImport } = policy.device(subject);
  return [
    ...limits.map(({ limit, value, per, uses, above, formats }) =>
      [
        [limit, value, ...(per === undefined ? [] : ['per', per])].join(' '),
        ...(above === undefined ? [] : [Object.entries(above).map(([of, size]) => `${of}>${size}`)]),
        uses ?? [],
        formats ?? [],
      ]
        .join(' ')
        .trim(),
    ),
    ...(contiguous ? [`contiguous ${contiguous.value}`] : []),
    ...(foreignImports
      ? [`foreign-imports ${DEVICE_KEYS.ForeignImports.type.print(foreignImports.value)}`]
      : []),
    ...foreignImportsFor.map(
      ({ value, uses }) => `foreign-imports ${DEVICE_KEYS.ForeignImports.type.print(value)} ${uses.join()}`,
    ),
    ...(tryImport ? [`try-import ${tryImport.value ? 'yes' : 'no'}`] : []),
  ];
};

const ONE_PIECE = 'contiguous without-iommu';
const ANY_PAGES = 'contiguous no';
const NO_IMPORTS = 'foreign-imports no';
const OWN_SHOWN = 'foreign-imports no scanout';
const ONE_FD_SHOWN = 'planes-apart false scanout';
const NO_PITCH = 'pitch-exact 1';
const LINKED = 'pitch-linked true';
const SIXTEEN_BITS = 'pitch-max 65535';
const pitch = (bytes: number, formats = '', uses = '') =>
  ['pitch-multiple', bytes, uses, formats].join(' ').trim();

const width = (pixels: number, uses = '') => `width-multiple ${pixels} ${uses}`.trim();
const paged = (above: number, formats = '') => `pitch-multiple 4096 pitch>${above} scanout ${formats}`.trim();

/** Formats that several rules name, in the order in which rules are printed. */
const CHROMA = 'NV12,NV16,NV21,NV24,NV42,NV61';
const INTEL_16 = 'P010,P012,P016,RG16,UYVY,VYUY,YUYV,YVYU';

/** Intel's displays, by their version. */
const INTEL_TO_12 = [
  pitch(64),
  paged(8192, 'C8  ,NV12'),
  paged(16_384, INTEL_16),
  paged(32_768),
  'pitch-max 262144 scanout',
  ONE_FD_SHOWN,
];
const INTEL_FROM_13 = [
  pitch(64),
  paged(65_536, 'C8  ,NV12'),
  paged(131_072),
  'pitch-max 262144 scanout',
  ONE_FD_SHOWN,
];
const QUALCOMM = [pitch(128), pitch(256, 'P010'), 'height-multiple 32', 'size-multiple 4096'];
const DU16 = 'AR15,RG16,UYVY,XR15,YUYV';

/** Every shipped rule, by the driver names that it is for; behind a comma the compatible string or PCI id of a device. */
const RULES: readonly (readonly [names: string, ...said: string[]])[] = [
  // GPUs
  ['amdgpu amdgpu,1002:163f amdgpu,1002:73bf', pitch(256), ONE_FD_SHOWN, 'foreign-imports tried scanout'],
  [
    'amdgpu,1002:731f amdgpu,1002:7340 amdgpu,1002:7360 amdgpu,1002:13fe',
    pitch(256),
    ONE_FD_SHOWN,
    'pitch-exact 256',
    'foreign-imports tried scanout',
  ],
  ['radeon', pitch(256), OWN_SHOWN],
  ['i915 xe i915,8086:9a60 i915,8086:9a49 i915,8086:4680 xe,8086:a780', ...INTEL_TO_12],
  ['i915,8086:46a6 i915,8086:46d1 xe,8086:7d55 xe,8086:64a0 xe,8086:e20b i915,8086:a7a0', ...INTEL_FROM_13],
  ['i915,8086:4905', ...INTEL_TO_12, OWN_SHOWN],
  ['i915,8086:56a0', ...INTEL_FROM_13, OWN_SHOWN],
  ['gma500', pitch(64), NO_IMPORTS],
  ['nvidia-drm nvidia', pitch(256)],
  ['nouveau', pitch(256), OWN_SHOWN],
  ['panfrost panthor', pitch(64), 'offset-multiple 64', ANY_PAGES],
  [
    'lima',
    pitch(64),
    width(16),
    'offset-multiple 64',
    'height-multiple 16 render',
    'address-bits 32',
    ANY_PAGES,
  ],
  ['etnaviv etnaviv-gpu', pitch(16), pitch(32, CHROMA), width(16), 'height-multiple 4', ANY_PAGES],
  ['v3d', width(1), 'offset-multiple 64', 'size-extra 64', ANY_PAGES],
  ['asahi', pitch(16), ANY_PAGES],
  ['powervr', NO_PITCH, ANY_PAGES],
  [
    'msm msm-mdss msm_mdss msm_dpu msm_mdp mdp4 adreno adreno,qcom,adreno-530.2 msm_mdp,qcom,msm8996-mdp5',
    `${SIXTEEN_BITS} scanout`,
    pitch(64, '', 'render,texture'),
    pitch(128, CHROMA, 'render,texture'),
    width(64, 'render,texture'),
  ],
  [
    'adreno,qcom,adreno-305.18 adreno,qcom,adreno-420.2 msm_mdp,qcom,msm8916-mdp5 mdp4,qcom,mdp4',
    `${SIXTEEN_BITS} scanout`,
    pitch(32, '', 'render,texture'),
    pitch(64, CHROMA, 'render,texture'),
    width(32, 'render,texture'),
  ],
  [
    'adreno,qcom,adreno-690.0 adreno,qcom,adreno-730.1 msm_dpu,qcom,sc8280xp-dpu msm_dpu,qcom,sdm845-dpu',
    `${SIXTEEN_BITS} scanout`,
    pitch(64, '', 'render,texture'),
    width(16, 'render,texture'),
  ],
  ['kvmfr', pitch(128)],
  // displays
  ['rockchip rockchip-drm', pitch(4)],
  ['mediatek mediatek-drm'],
  ['omapdrm', width(1), LINKED],
  ['tegra tegra-drm drm', pitch(64)],
  ['armada-drm', 'planes-apart false', ONE_PIECE],
  ['loongson loongson,0014:7a06', pitch(256), OWN_SHOWN],
  ['loongson,0014:7a36', pitch(64), OWN_SHOWN],
  ['vc4 vc4-drm', SIXTEEN_BITS, 'pitch-exact 16 render', ONE_PIECE],
  ['mxsfb-drm mxsfb fsl-dcu-drm fsl-dcu mcde tve200 pl111 drm-clcd-pl111 tilcdc', NO_PITCH, ONE_PIECE],
  ['aspeed-gfx-drm aspeed_gfx arcpgu ingenic-drm', NO_PITCH, ONE_PIECE],
  ['imx-lcdif stm stm32-display', SIXTEEN_BITS, ONE_PIECE],
  ['imx-drm', pitch(8), width(8), 'pitch-max 16384', 'offset-multiple 8', ONE_PIECE],
  ['imx-lcdc', pitch(4), ONE_PIECE],
  ['imx-dcss rcar-du rzg2l-du rcar-du,renesas,du-r8a7795', SIXTEEN_BITS, LINKED, ONE_PIECE],
  [
    'rcar-du,renesas,du-r8a7791 rcar-du,renesas,du-r8a7743 rcar-du,renesas,du-r8a7779',
    SIXTEEN_BITS,
    'pitch-max 4095  NV12,NV16,NV21',
    `pitch-max 8190  ${DU16}`,
    'pitch-max 16380  AR24,XR24',
    LINKED,
    width(16),
    ONE_PIECE,
  ],
  ['rcar-du,renesas,du-r8a7790', SIXTEEN_BITS, LINKED, pitch(128), ONE_PIECE],
  ['shmob-drm', pitch(8), 'pitch-max 65528', LINKED, ONE_PIECE],
  [
    'sun4i-drm',
    pitch(2, 'NV12,NV16,NV21,NV61,P010,P210,UYVY,VYUY,YU11,YU12,YU16,YU24,YUYV,YV11,YV12,YV16,YV24,YVYU'),
    ONE_PIECE,
  ],
  ['meson meson-drm', pitch(64), ONE_PIECE],
  ['tidss', width(1), ONE_PIECE],
  ['sti hdlcd logicvc-drm adp', ONE_PIECE],
  ['atmel-hlcdc atmel-hlcdc-display-controller kirin kirin-drm', ONE_PIECE],
  ['mali-dp mali-dp,arm,mali-dp550', pitch(8), ONE_PIECE],
  ['komeda mali-dp,arm,mali-dp650', pitch(16), ONE_PIECE],
  ['zynqmp-dpsub', pitch(256), ONE_PIECE],
  ['kmb-drm', `${NO_PITCH}  NV12,NV21,YU24,YV24`, ONE_PIECE],
  ['sprd sprd-drm-drv', width(1), LINKED, ONE_PIECE],
  ['exynos exynos-drm', width(1)],
  ['apple apple-drm', pitch(64)],
  ['ili9163 ili9225 ili9341 ili9486 hx8357d mi0283qt panel-mipi-dbi panel-mipi-dbi-spi', ONE_PIECE],
  ['panel-ilitek-ili9341 repaper st7586 st7735r', ONE_PIECE],
  // video
  ['unicam bcm2835-isp bcm2835-codec rp1-cfe pispbe rpivid rpi-hevc-dec', ONE_PIECE],
  ['rkisp1 snps_hdmirx rockchip-cif rkcif', ONE_PIECE],
  ['rkvdec', 'size-extra 128 per macroblock', ONE_PIECE],
  ['hantro-vpu', 'size-extra 96 per macroblock decode', ONE_PIECE],
  ['rockchip-rga', 'address-bits 32', ANY_PAGES],
  ['imx7-csi imx-capture imx-media imx-csc-scaler mxc-isi mxc-jpeg pxp dw100', ONE_PIECE],
  ['m2m-emmaprp mem2mem-emmaprp coda amphion-vpu', ONE_PIECE],
  ['cedrus sun4i-csi sun4i_csi sun6i-csi sun6i-csi-capture sun6i-isp sun8i-di sun8i-rotate', ONE_PIECE],
  ['mtk-vcodec-enc', pitch(16), 'height-multiple 32', ONE_PIECE],
  ['mtk-vcodec-dec', pitch(64), 'height-multiple 64', ONE_PIECE],
  ['mtk-jpeg mtk-jpeg-dec mtk-jpegenc-hw mtk-mdp mtk-mdp3', ONE_PIECE],
  ['qcom-venus qcom-venus-decoder qcom-venus-encoder', ...QUALCOMM, 'size-extra 12288  NV12,NV21', ONE_PIECE],
  ['qcom-iris iris_driver', ...QUALCOMM, ONE_PIECE],
  ['qcom-camss', ONE_PIECE],
  ['meson-vdec meson-ge2d', ONE_PIECE],
  ['cal vpe vpfe j721e-csi2rx omap_vout ispvideo omap3isp issvideo omap4iss vpif_capture', ONE_PIECE],
  ['wave5-dec wave5-enc', ONE_PIECE],
  ['stm32-dcmi dcmipp stm-dma2d st-delta st-hva bdisp', ONE_PIECE],
  ['rcar-vin rcar_vin rcar_fdp1 rcar_jpu vsp1 renesas-ceu rzg2l-cru rzg2l_cru sh-vou', ONE_PIECE],
  [
    's5p-mfc s5p-mfc-dec',
    'pitch-exact 16',
    'height-multiple 64',
    'size-multiple 256',
    'size-extra 64',
    ONE_PIECE,
  ],
  ['s5p-g2d s5p-jpeg exynos-gsc exynos4-fimc exynos-fimc-lite s3c-camif', ONE_PIECE],
  ['microchip-isc microchip-sama7g5-xisc atmel-isi atmel_isi atmel-sama5d2-isc', ONE_PIECE],
  ['xilinx-vipp xilinx-video allegro e5010 starfive-camss', ONE_PIECE],
  ['tegra-video tegra-vi aspeed-video npcm-video', ONE_PIECE],
  ['dt3155 solo6x10 tw5864 zoran zr36067 sta2x11_vip STA2X11', ONE_PIECE],
  ['uvcvideo gspca_main em28xx cx231xx au0828 usbtv stk1160 go7007 pwc s2255 bcm2835-camera', ANY_PAGES],
  ['bttv cx23885 cx25821 cx8800 saa7134 tw68 cobalt mgb4 ipu3-cio2 ipu3-imgu', ANY_PAGES],
  ['saa7146 intel_ipu6_isys intel-ipu6 isys cxusb video-i2c atomisp-isp2 cx18', ANY_PAGES],
  // virtual, and what the CPU copies to
  ['virtio_gpu', `${NO_PITCH} scanout`, NO_IMPORTS],
  ['bochs-drm bochs vboxvideo qxl', NO_IMPORTS],
  ['hibmc hibmc-drm', pitch(128), NO_IMPORTS],
  ['vmwgfx xendrm-du vdispl', ANY_PAGES],
  [
    'simpledrm simple-framebuffer ofdrm of-display efidrm efi-framebuffer vesadrm vesa-framebuffer',
    ANY_PAGES,
  ],
  ['udl gud gm12u320 evdi appletbdrm ssd130x ssd130x-i2c hyperv_drm', ANY_PAGES],
  ['ast', pitch(8), 'pitch-max 131064', ANY_PAGES],
  ['mgag200', pitch(16), ANY_PAGES],
  ['cirrus', pitch(8), 'pitch-max 4088  RG16,RG24', ANY_PAGES],
  ['vgem vkms vicodec visl vimc', ANY_PAGES],
  ['vivid vim2m', ANY_PAGES, 'try-import yes'],
];

/** A device of the table: `driver`, `driver,pci id` or `driver,compatible`. */
function deviceOf(name: string): RuleSubject {
  const [, own = '', more] = /^([^,]+)(?:,(.+))?$/.exec(name) ?? [];
  if (more === undefined) return driver(own);
  return driver(own, /^[0-9a-f]{4}:[0-9a-f]{4}$/.test(more) ? { pci: more } : { compatible: [more] });
}

describe('the shipped files', () => {
  it('are read in order, without a warning', () => {
    expect(policy.warnings).toEqual([]);
    expect(policy.files).toEqual([
      'policy/dmabroker.conf',
      'policy/dmabroker.conf.d/10-devices-display.conf',
      'policy/dmabroker.conf.d/10-devices-gpu.conf',
      'policy/dmabroker.conf.d/10-devices-video.conf',
      'policy/dmabroker.conf.d/10-devices-virtual.conf',
      'policy/dmabroker.conf.d/10-heaps.conf',
    ]);
  });

  it('say where a rule stands without the place of the package', () => {
    const [limit] = policy.device(driver('amdgpu')).limits;
    expect(limit?.source).toMatch(/^policy:policy\/dmabroker\.conf\.d\/10-devices-gpu\.conf:\d+$/);
  });
});

describe('the broker', () => {
  const frame = { width: 1920, height: 1080 };
  it.each([2n ** 28n, 2n ** 32n, 2n ** 38n])('says of %d bytes of RAM what is built in', (ram) => {
    const { value, source } = policy.maxBuffer({ ram, frame });
    expect(value).toBe(ram / 4n < 2n ** 30n ? ram / 4n : 2n ** 30n);
    expect(source).toMatch(/^policy:policy\/dmabroker\.conf:\d+$/);
    expect(policy.plainOnSystemBus()).toMatchObject({ value: BROKER_KEYS.PlainOnSystemBus.builtIn });
  });
});

describe('the pools', () => {
  const GIB = 2n ** 30n;
  const FULL_HD = { width: 1920, height: 1080 };
  const UHD = { width: 3840, height: 2160 };
  const machines = [
    { ram: GIB / 2n, frame: FULL_HD },
    { ram: GIB, frame: FULL_HD },
    { ram: 4n * GIB, frame: UHD, heap: GIB },
    { ram: 64n * GIB, frame: { width: 7680, height: 4320 } },
  ];

  it.each(machines)('leave three quarters of RAM outside: %o', (machine) => {
    const limits = MEMORY_CLASSES.map((memoryClass) => policy.pool(memoryClass, machine).limit.value);
    expect(limits.reduce((sum, limit) => sum + limit)).toBeLessThanOrEqual(machine.ram / 4n);
  });

  it.each(machines.slice(1))('hold frames of the largest display: %o', (machine) => {
    const { width, height } = machine.frame;
    const frames = (memoryClass: (typeof MEMORY_CLASSES)[number]) =>
      policy.pool(memoryClass, machine).limit.value / BigInt(width * height * 4);
    for (const memoryClass of MEMORY_CLASSES) expect(frames(memoryClass)).toBeGreaterThanOrEqual(3n);
    expect(frames('scattered')).toBeGreaterThanOrEqual(8n);
    expect(frames('contiguous')).toBeGreaterThanOrEqual(8n);
  });

  it('leave a fifth of a small heap to the drivers', () => {
    const machine = { ram: 16n * GIB, frame: FULL_HD, heap: 64n * 2n ** 20n };
    for (const memoryClass of ['contiguous', 'protected'] as const)
      expect(policy.pool(memoryClass, machine).limit.value).toBe((machine.heap * 4n) / 5n);
  });

  it('are all said, none left to what is built in', () => {
    for (const memoryClass of MEMORY_CLASSES)
      expect(policy.pool(memoryClass, { ram: GIB, frame: FULL_HD }).limit.source).not.toBe('policy:built-in');
    expect(POOL_KEYS.Limit.builtIn.kind).toBe('min');
  });
});

describe('the device rules', () => {
  it.each(RULES.flatMap(([names, ...said]) => names.split(' ').map((name) => [name, said] as const)))(
    'of %s are %j',
    (name, said) => {
      expect(say(deviceOf(name))).toEqual(said);
      expect(policy.device(deviceOf(name)).known).toBe(true);
    },
  );

  it.each(['bcm2835 mmal', 'mxc-jpeg codec'])('know a driver with a space in its name: %s', (name) => {
    expect(policy.device(driver(name)).known).toBe(true);
  });

  it('know nothing of a driver that nobody has heard of', () => {
    expect(policy.device(driver('frobnicator'))).toEqual({ known: false, limits: [] });
  });

  it('each have a test above', () => {
    const subjects = RULES.flatMap(([names]) => names.split(' ').map(deviceOf));
    for (const { name, text } of files()) {
      for (const section of parsePolicyFile(name, Buffer.from(text)).sections)
        if (section.name === 'Device')
          expect(subjects.some((subject) => section.matches(subject))).toBe(true);
    }
  });

  it('each have beside them what they stand on, or share it with the section above', () => {
    for (const { text } of files()) expect(text).not.toMatch(/\n\n\[/);
  });
});

describe('the heap rules', () => {
  it('know heaps below 4 GiB', () => {
    expect(policy.heap({ kind: 'dma-heap', name: 'system-dma32' }).addressBits?.value).toBe(32);
    expect(policy.heap({ kind: 'dma-heap', name: 'system' })).toEqual({});
  });

  const classOf = (name: string, kind = 'dma-heap') => policy.heap({ kind, name }).class?.value;
  it.each([
    ...['protected,secure-video', 'protected,trusted-ui', 'restricted_mtk_cma', 'vframe-secure', 'secure'],
    ...['qcom,secure-pixel', 'system-secure-vframe-secure', 'mtk_svp_Secure', 'Protected', 'tee-Restricted'],
    ...['mtk_svp_region-aligned', 'mtk_prot_page-uncached', 'mtk_wfd-uncached', 'mtk_sapu_data_shm-uncached'],
  ])('give %s to nobody who did not ask', (name) => {
    expect(classOf(name)).toBe('protected');
  });

  it.each(['insecure', 'unprotected-video', 'unrestricted', 'obscured', 'mtk_mm', 'linux,cma', 'reserved'])(
    'take %s for no such memory',
    (name) => {
      expect(classOf(name)).toBeUndefined();
    },
  );

  it('look at dma-heaps only', () => {
    expect(classOf('secure', 'drm-dumb')).toBeUndefined();
  });
});

function files(): readonly { readonly name: string; readonly text: string }[] {
  const directory = `${shipped}/dmabroker.conf.d`;
  return readdirSync(directory).map((name) => ({ name, text: readFileSync(`${directory}/${name}`, 'utf8') }));
}
