import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { MEMORY_CLASSES } from '../../../dbus/names.js';
import { BROKER_KEYS, POOL_KEYS } from '../../../daemon/policy/keys.js';
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
  const { limits, contiguous, foreignImports, tryImport } = policy.device(subject);
  return [
    ...limits.map(({ limit, value, uses, formats }) =>
      [limit, value, uses ?? [], formats ?? []].flat(0).join(' ').trim(),
    ),
    ...(contiguous ? [`contiguous ${contiguous.value}`] : []),
    ...(foreignImports ? [`foreign-imports ${foreignImports.value ? 'yes' : 'no'}`] : []),
    ...(tryImport ? [`try-import ${tryImport.value ? 'yes' : 'no'}`] : []),
  ];
};

const PLANAR = 'NV12,NV21,P010,YU12,YV12';
const ONE_PIECE = 'contiguous without-iommu';
const ANY_PAGES = 'contiguous no';
const NO_IMPORTS = 'foreign-imports no';
const pitch = (bytes: number) => `pitch-multiple ${bytes}`;

/** Every shipped rule, by the driver names that it is for. */
const RULES: readonly (readonly [names: string, ...said: string[]])[] = [
  // GPUs
  ['amdgpu', 'pitch-exact 256'],
  ['radeon', pitch(256)],
  ['i915 xe', pitch(64)],
  ['gma500', pitch(64)],
  ['nvidia-drm nvidia', pitch(256)],
  ['nouveau', pitch(256)],
  ['panfrost lima panthor', pitch(64), ANY_PAGES],
  ['v3d', pitch(64), ANY_PAGES],
  [
    'msm msm-mdss msm_mdss msm_dpu msm_mdp mdp4 adreno',
    pitch(128),
    `${pitch(96)}  BG24,RG24`,
    `${pitch(256)}  AB4H,AR4H,XB4H,XR4H`,
  ],
  ['kvmfr', pitch(128)],
  // displays
  ['rockchip rockchip-drm', pitch(64)],
  ['mediatek mediatek-drm', pitch(64)],
  ['omapdrm', pitch(8)],
  ['tegra tegra-drm drm', pitch(64)],
  ['armada-drm', pitch(128), ONE_PIECE],
  ['loongson', pitch(256)],
  ['vc4 vc4-drm', pitch(64), ONE_PIECE],
  ['imx-drm imx-lcdc imx-dcss imx-lcdif mxsfb-drm mxsfb fsl-dcu-drm fsl-dcu', pitch(8), ONE_PIECE],
  ['sun4i-drm', pitch(8), ONE_PIECE],
  ['meson meson-drm', pitch(64), ONE_PIECE],
  ['stm stm32-display sti mcde', pitch(8), ONE_PIECE],
  ['tidss tilcdc', pitch(8), ONE_PIECE],
  ['rcar-du rzg2l-du shmob-drm', pitch(128), ONE_PIECE],
  ['pl111 drm-clcd-pl111 hdlcd', pitch(8), ONE_PIECE],
  ['mali-dp komeda', pitch(64), ONE_PIECE],
  ['zynqmp-dpsub', pitch(256), ONE_PIECE],
  [
    'ingenic-drm atmel-hlcdc atmel-hlcdc-display-controller arcpgu kirin kirin-drm tve200',
    pitch(8),
    ONE_PIECE,
  ],
  ['aspeed-gfx-drm aspeed_gfx kmb-drm sprd sprd-drm-drv', pitch(8), ONE_PIECE],
  ['logicvc-drm', ONE_PIECE],
  ['ili9163 ili9225 ili9341 ili9486 hx8357d mi0283qt panel-mipi-dbi panel-mipi-dbi-spi', pitch(8), ONE_PIECE],
  ['panel-ilitek-ili9341 repaper st7586 st7735r', pitch(8), ONE_PIECE],
  // video
  ['unicam bcm2835-isp bcm2835-codec rp1-cfe pispbe rpivid rpi-hevc-dec', ONE_PIECE],
  ['rkisp1 rkvdec hantro-vpu snps_hdmirx', ONE_PIECE],
  ['imx7-csi imx-capture imx-media imx-csc-scaler mxc-isi mxc-jpeg pxp dw100', ONE_PIECE],
  ['m2m-emmaprp mem2mem-emmaprp coda amphion-vpu', ONE_PIECE],
  ['cedrus sun4i-csi sun4i_csi sun6i-csi sun6i-csi-capture sun6i-isp sun8i-di sun8i-rotate', ONE_PIECE],
  ['mtk-vcodec-enc', pitch(16), 'height-multiple 32', ONE_PIECE],
  ['mtk-vcodec-dec', pitch(64), 'height-multiple 64', ONE_PIECE],
  ['mtk-jpeg mtk-jpeg-dec mtk-jpegenc-hw mtk-mdp mtk-mdp3', ONE_PIECE],
  ['qcom-venus qcom-venus-decoder qcom-venus-encoder', pitch(128), 'height-multiple 32', ONE_PIECE],
  ['meson-vdec meson-ge2d', ONE_PIECE],
  ['cal vpe vpfe j721e-csi2rx omap_vout ispvideo omap3isp issvideo omap4iss vpif_capture', ONE_PIECE],
  ['wave5-dec wave5-enc', ONE_PIECE],
  ['stm32-dcmi dcmipp stm-dma2d st-delta st-hva bdisp', ONE_PIECE],
  ['rcar-vin rcar_vin rcar_fdp1 rcar_jpu vsp1 renesas-ceu rzg2l-cru rzg2l_cru sh-vou', ONE_PIECE],
  ['s5p-mfc s5p-mfc-dec s5p-g2d s5p-jpeg exynos-gsc exynos4-fimc exynos-fimc-lite s3c-camif', ONE_PIECE],
  ['microchip-isc microchip-sama7g5-xisc atmel-isi atmel_isi atmel-sama5d2-isc', ONE_PIECE],
  ['xilinx-vipp xilinx-video allegro e5010 starfive-camss', ONE_PIECE],
  ['tegra-video tegra-vi aspeed-video npcm-video', ONE_PIECE],
  ['dt3155 solo6x10 tw5864 zoran zr36067', ONE_PIECE],
  ['uvcvideo gspca_main em28xx cx231xx au0828 usbtv stk1160 go7007 pwc s2255 bcm2835-camera', ANY_PAGES],
  ['bttv cx23885 cx25821 cx8800 saa7134 tw68 cobalt mgb4 ipu3-cio2 ipu3-imgu rockchip-rga', ANY_PAGES],
  // virtual
  ['virtio_gpu', pitch(4), NO_IMPORTS],
  ['bochs-drm bochs', NO_IMPORTS],
  ['hibmc hibmc-drm', pitch(128), NO_IMPORTS],
  ['vboxvideo', NO_IMPORTS],
  ['qxl', NO_IMPORTS],
  [
    'simpledrm simple-framebuffer ofdrm of-display efidrm efi-framebuffer vesadrm vesa-framebuffer',
    ANY_PAGES,
  ],
  ['ast mgag200 udl gud gm12u320 hyperv_drm cirrus ssd130x', ANY_PAGES],
  ['vgem vkms vicodec visl vimc', ANY_PAGES],
  ['vivid vim2m', ANY_PAGES, 'try-import yes'],
];

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
      expect(say(driver(name))).toEqual(said);
      expect(policy.device(driver(name)).known).toBe(true);
    },
  );

  it.each(['bcm2835 mmal', 'mxc-jpeg codec'])('know a driver with a space in its name: %s', (name) => {
    expect(policy.device(driver(name)).known).toBe(true);
  });

  it.each([
    '1002:9874',
    '1002:98e4',
    '1002:15d8',
    '1002:15dd',
    '1002:15e7',
    '1002:1636',
    '1002:1638',
    '1002:164c',
  ])(
    'of the amdgpu %s, older than Navi, ask for no exact pitch and for 512 where there are planes',
    (pci) => {
      expect(say(driver('amdgpu', { pci }))).toEqual([pitch(256), `${pitch(512)}  ${PLANAR}`]);
    },
  );

  it.each(['1002:163f', '1002:73bf'])('of the amdgpu %s, Navi, ask for an exact pitch', (pci) => {
    expect(say(driver('amdgpu', { pci }))).toEqual(['pitch-exact 256']);
  });

  it('know nothing of a driver that nobody has heard of', () => {
    expect(policy.device(driver('frobnicator'))).toEqual({ known: false, limits: [] });
  });

  it('each have a test above', () => {
    const subjects = RULES.flatMap(([names]) => names.split(' ').map((name) => driver(name)));
    subjects.push(driver('amdgpu', { pci: '1002:15d8' }));
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
