import { constants } from 'node:os';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readDrm } from '../../../daemon/devices/drm-facts.js';
import { KernelFiles } from '../../../daemon/devices/sysfs.js';
import type { DrmConnector, DrmMode } from '../../../daemon/kernel/drm.js';
import { KernelError } from '../../../daemon/kernel/errors.js';
import { FakeKernel, type FakeDrm } from '../../tools/fake-drivers.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';
import { naming } from '../../harness/naming.js';

const PCI = '/sys/devices/pci0000:00/0000:00:02.0';
const TILED = 0x0100_0000_0000_0001n;

const mode = (width: number, height: number, refresh: number, preferred = false): DrmMode => ({
  name: `${width}x${height}`,
  width,
  height,
  refresh,
  preferred,
});

const panel: DrmConnector = {
  name: 'eDP-1',
  connected: true,
  encoder: 1,
  modes: [mode(1920, 1080, 60, true), mode(1920, 1080, 60), mode(1280, 720, 60)],
};
const empty: DrmConnector = { name: 'HDMI-A-1', connected: false, encoder: 0, modes: [] };

/** Two CRTCs; the last plane belongs to a third one, which the device does not have. */
const GPU: FakeDrm = {
  name: 'i915',
  capabilities: { PRIME: 3n, DUMB_BUFFER: 1n },
  display: {
    crtcs: 2,
    max: 16384,
    planes: [
      {
        possibleCrtcs: 1,
        formats: ['XR24'],
        inFormats: [
          { format: 'XR24', modifier: TILED },
          { format: 'XR24', modifier: 0n },
        ],
      },
      {
        possibleCrtcs: 2,
        formats: ['XR24', 'NV12'],
        inFormats: [
          { format: 'XR24', modifier: 0n },
          { format: 'NV12', modifier: 0n },
          { format: 'NV12', modifier: 0x00ff_ffff_ffff_ffffn },
        ],
      },
      { possibleCrtcs: 3, formats: ['AR24', 'XR24', 'RG1\u0096'] },
      { possibleCrtcs: 4, formats: ['YUYV'] },
    ],
    connectors: [panel, empty],
    shown: [mode(1600, 900, 60)],
  },
};

let tree: SysfsTree;
let warnings: string[];
beforeEach(() => {
  tree = new SysfsTree();
  warnings = [];
});
afterEach(() => {
  tree[Symbol.dispose]();
});

const read = (kernel: FakeKernel) =>
  readDrm(new KernelFiles(tree.root, (text) => warnings.push(text)), kernel.drm, []);

const gpu = (): SysfsTree =>
  tree
    .drm('card0', '226:0', PCI)
    .drm('renderD128', '226:128', PCI)
    .link(`${PCI}/driver`, '/sys/bus/pci/drivers/i915')
    .directory('/sys/bus/pci/drivers/i915')
    .link(`${PCI}/subsystem`, '/sys/bus/pci')
    .files({
      [`${PCI}/vendor`]: '0x8086\n',
      [`${PCI}/device`]: '0x46a6\n',
      [`${PCI}/dma_mask_bits`]: '39\n',
    });

describe('readDrm', () => {
  it('makes one device of the primary and the render node, with what sysfs says', async () => {
    gpu();
    const { devices } = await read(new FakeKernel({ drm: { card0: GPU } }));
    expect(devices).toHaveLength(1);
    expect(devices[0]).toMatchObject({
      node: '/dev/dri/card0',
      number: '226:0',
      otherNodes: ['/dev/dri/renderD128'],
      otherNumbers: ['226:128'],
      subsystem: 'drm',
      driver: 'i915',
      name: 'i915 8086:46a6',
      pci: '8086:46a6',
      uses: ['scanout', 'render', 'texture'],
      dmaMaskBits: { value: 39, source: 'kernel:/sys/class/drm/card0/device/dma_mask_bits' },
      iommu: { value: 'none', source: 'kernel:/sys/class/drm/card0/device/iommu_group' },
      imports: { value: true, source: 'kernel:DRM_CAP_PRIME' },
    });
    expect(warnings).toEqual([]);
  });

  it('takes the formats of every plane that a CRTC can use, and of no other', async () => {
    gpu();
    const { devices } = await read(new FakeKernel({ drm: { card0: GPU } }));
    expect(devices[0]?.formats).toEqual([
      { format: 'XR24', modifiers: [TILED, 0n], uses: ['scanout'], source: 'kernel:IN_FORMATS' },
      { format: 'NV12', modifiers: [0n], uses: ['scanout'], source: 'kernel:IN_FORMATS' },
      { format: 'AR24', modifiers: [0n], uses: ['scanout'], source: 'kernel:MODE_GETPLANE' },
    ]);
  });

  it('limits scanout to the largest framebuffer', async () => {
    gpu();
    const { devices } = await read(new FakeKernel({ drm: { card0: GPU } }));
    expect(devices[0]?.limits).toEqual([
      { limit: 'max-width', value: 16384, uses: ['scanout'], source: 'kernel:MODE_GETRESOURCES' },
      { limit: 'max-height', value: 16384, uses: ['scanout'], source: 'kernel:MODE_GETRESOURCES' },
    ]);
  });

  describe('of a driver that pads its own buffers', () => {
    beforeEach(gpu);
    const rounded =
      (step: number): NonNullable<FakeDrm['dumbPitch']> =>
      (width) =>
        Math.ceil((4 * width) / step) * step;
    type Shows = NonNullable<NonNullable<FakeDrm['display']>['shows']>;
    const multiplesOf =
      (step: number): Shows =>
      ({ planes: [plane] }) =>
        (plane?.pitch ?? NaN) % step === 0 ? undefined : 'EINVAL';
    const limitsOf = async (dumbPitch: NonNullable<FakeDrm['dumbPitch']>, shows?: Shows) => {
      const display = GPU.display && { ...GPU.display, ...(shows && { shows }) };
      const kernel = new FakeKernel({ drm: { card0: { ...GPU, dumbPitch, ...(display && { display }) } } });
      const { devices } = await read(kernel);
      expect(kernel.left).toEqual([]);
      return devices[0]?.limits.flatMap(({ limit, value, source }) =>
        limit === 'pitch-multiple' ? [[value, source]] : [],
      );
    };
    const HABIT = 'kernel:CREATE_DUMB';
    const NEED = 'trial:ADDFB2:EINVAL';

    it('takes the step for a habit where it shows rows without it', async () => {
      expect(await limitsOf(rounded(64))).toEqual([[64, HABIT]]);
    });

    it.each([8, 64, 1024, 4096])(
      'takes a step of %d for a need where it shows no smaller one',
      async (step) => {
        expect(await limitsOf(rounded(step), multiplesOf(step))).toEqual([[step, NEED]]);
      },
    );

    it('tells the two apart', async () => {
      expect(await limitsOf(rounded(64), multiplesOf(16))).toEqual([
        [16, NEED],
        [64, HABIT],
      ]);
    });

    it.each(['EINVAL', 'ENOENT'] as const)(
      'knows a habit alone where it shows nothing: %s',
      async (errno) => {
        expect(await limitsOf(rounded(64), () => errno)).toEqual([[64, HABIT]]);
      },
    );

    it('knows nothing where there is no step, none explains the pitches, or it makes no buffers', async () => {
      expect(await limitsOf((width) => 4 * width)).toEqual([]);
      expect(await limitsOf((width) => 4 * width + 3)).toEqual([]);
      expect(await limitsOf((width) => (width > 2000 ? 'ENOMEM' : 4096))).toEqual([]);
    });
  });

  it('makes no buffers of a driver that has none, or no display', async () => {
    gpu();
    for (const driver of [
      { ...GPU, capabilities: { PRIME: 3n } },
      { name: 'vgem', capabilities: GPU.capabilities },
    ]) {
      const kernel = new FakeKernel({ drm: { card0: driver as FakeDrm } });
      await read(kernel);
      expect(kernel.calls).not.toContain('card0 createDumb');
    }
  });

  it('lists the modes of connected displays once each, and the one that is shown', async () => {
    gpu();
    const { devices } = await read(new FakeKernel({ drm: { card0: GPU } }));
    expect(devices[0]?.modes).toEqual([
      { connector: 'eDP-1', width: 1920, height: 1080, refresh: 60, preferred: true, current: false },
      { connector: 'eDP-1', width: 1280, height: 720, refresh: 60, preferred: false, current: false },
      { connector: 'eDP-1', width: 1600, height: 900, refresh: 60, preferred: false, current: true },
    ]);
  });

  it('offers the dumb buffers of a driver that has them', async () => {
    gpu();
    const { heaps } = await read(new FakeKernel({ drm: { card0: GPU } }));
    expect(heaps).toEqual([
      {
        id: 'drm-dumb:/dev/dri/card0',
        kind: 'drm-dumb',
        name: 'i915',
        node: '/dev/dri/card0',
        class: { value: 'device', source: 'kernel:DRM_CAP_DUMB_BUFFER' },
        cpuAccess: 'uncached',
        usable: true,
      },
    ]);
  });

  it('opens the node without staying its master, and leaves no node open', async () => {
    gpu();
    const kernel = new FakeKernel({ drm: { card0: GPU } });
    await read(kernel);
    expect(kernel.calls[0]).toBe('card0 open');
    expect(kernel.opened.map(({ open }) => open)).toEqual([false]);
  });

  it('names the driver of the GPU and not the virtio transport that sysfs shows under the card', async () => {
    tree
      .drm('card0', '226:0', PCI)
      .link(`${PCI}/driver`, '/sys/bus/pci/drivers/virtio-pci')
      .directory('/sys/bus/pci/drivers/virtio-pci');
    const { devices } = await read(new FakeKernel({ drm: { card0: { ...GPU, name: 'virtio_gpu' } } }));
    expect(devices[0]).toMatchObject({ driver: 'virtio_gpu' });
  });

  it('knows a GPU without a display, whose driver refuses to speak of one', async () => {
    tree
      .drm('card0', '226:0', '/sys/devices/platform/gpu')
      .drm('renderD128', '226:128', '/sys/devices/platform/gpu');
    const { devices, heaps } = await read(
      new FakeKernel({ drm: { card0: { name: 'v3d', capabilities: { PRIME: 2n } } } }),
    );
    expect(devices[0]).toMatchObject({
      driver: 'v3d',
      name: 'v3d',
      uses: ['render', 'texture'],
      formats: [],
      modes: [],
      imports: { value: false, source: 'kernel:DRM_CAP_PRIME' },
    });
    expect(heaps).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('keeps displays of one device each apart, and a render node alone as a device of its own', async () => {
    tree
      .drm('card0', '226:0', '/sys/devices/platform/display')
      .drm('card1', '226:1', '/sys/devices/platform/gpu')
      .drm('renderD128', '226:128', '/sys/devices/platform/gpu')
      .drm('renderD129', '226:129', '/sys/devices/platform/other');
    const { devices } = await read(new FakeKernel({ drm: { card0: GPU } }));
    expect(devices.map(({ node, otherNodes }) => [node, ...otherNodes])).toEqual([
      ['/dev/dri/card0'],
      ['/dev/dri/card1', '/dev/dri/renderD128'],
      ['/dev/dri/renderD129'],
    ]);
  });

  it('falls back on sysfs where the node cannot be opened, and says so', async () => {
    gpu().files({
      [`${PCI}/drm/card0/card0-eDP-1/status`]: 'connected\n',
      [`${PCI}/drm/card0/card0-eDP-1/modes`]: '1920x1200\n1920x1200\n1280x800\n',
      [`${PCI}/drm/card0/card0-HDMI-A-1/status`]: 'disconnected\n',
      [`${PCI}/drm/card0/card0-HDMI-A-1/modes`]: '',
    });
    tree.link('/sys/class/drm/card0-eDP-1', `${PCI}/drm/card0/card0-eDP-1`);
    tree.link('/sys/class/drm/card0-HDMI-A-1', `${PCI}/drm/card0/card0-HDMI-A-1`);
    const { devices, heaps } = await read(
      new FakeKernel({ drm: { card0: GPU }, closed: { card0: 'EACCES' } }),
    );
    expect(devices[0]).toMatchObject({ uses: ['scanout', 'render', 'texture'], formats: [], limits: [] });
    expect(devices[0]?.modes).toEqual([
      { connector: 'eDP-1', width: 1920, height: 1200, refresh: 0, preferred: true, current: false },
      { connector: 'eDP-1', width: 1280, height: 800, refresh: 0, preferred: false, current: false },
    ]);
    expect(heaps).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(naming('/dev/dri/card0', 'open', 'EACCES'))]);
  });

  it('closes the node when the driver fails half-way', async () => {
    gpu();
    const kernel = new FakeKernel({ drm: { card0: GPU } });
    kernel.drm.planes = () => {
      throw new KernelError('DRM_IOCTL_MODE_GETPLANERESOURCES', constants.errno.EIO);
    };
    const { devices } = await read(kernel);
    expect(devices[0]).toMatchObject({ node: '/dev/dri/card0', driver: 'i915', formats: [] });
    expect(warnings).toEqual([
      expect.stringMatching(naming('/dev/dri/card0', 'DRM_IOCTL_MODE_GETPLANERESOURCES', 'EIO')),
    ]);
    expect(kernel.opened.map(({ open }) => open)).toEqual([false]);
  });
});
