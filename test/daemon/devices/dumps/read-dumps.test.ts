import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DUMP_LIMITS, DumpError } from '../../../../daemon/devices/dumps/dump-types.js';
import { inventoryFromDumps } from '../../../../daemon/devices/dumps/read-dumps.js';
import type { Device, Inventory } from '../../../../daemon/devices/inventory.js';
import { inventoryFromProfile } from '../../../../daemon/devices/profile/read.js';
import { importProfile } from '../../../../daemon/devices/profile/write.js';

const DIRECTORY = new URL('../../../fixtures/dumps/', import.meta.url);
const dump = (name: string, text = readFileSync(new URL(name, DIRECTORY), 'utf8')) => ({ name, text });

const DRM_INFO = dump('i915.drm_info.json');
const MODETEST = dump('rockchip.modetest.txt');
const V4L2_CTL = dump('nodes.v4l2-ctl.txt');
const SYS = dump('pi.sys.txt');

const deviceOf = ({ devices }: Inventory, node: string): Device => {
  const device = devices.find((each) => each.node === node);
  if (device === undefined) throw new Error(`no ${node}`);
  return device;
};
const unknown = (value: unknown) => ({ value, source: 'unknown' });
const errorOf = async (...dumps: readonly { name: string; text: string }[]): Promise<string> => {
  try {
    await inventoryFromDumps(dumps);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(DumpError);
    return error instanceof Error ? error.message : '';
  }
};

describe('drm_info --json', () => {
  // Shape: json.c of drm_info. Codes: drm_fourcc.h (I915_FORMAT_MOD_Y_TILED is 0x0100000000000002).
  it('is a card with its driver, formats, modifiers of 64 bits, modes and dumb buffers', async () => {
    const { inventory, from } = await inventoryFromDumps([DRM_INFO]);
    expect(from).toEqual(['drm_info --json (i915.drm_info.json)']);
    const mode = { connector: 'eDP-1', width: 1920, height: 1200 };
    expect(deviceOf(inventory, '/dev/dri/card1')).toEqual({
      node: '/dev/dri/card1',
      number: '226:1',
      otherNodes: ['/dev/dri/renderD128'],
      otherNumbers: ['226:128'],
      subsystem: 'drm',
      driver: 'i915',
      name: 'i915 8086:9a49',
      compatible: [],
      pci: '8086:9a49',
      iommu: unknown('unknown'),
      imports: { value: true, source: 'kernel:DRM_CAP_PRIME' },
      uses: ['scanout', 'render', 'texture'],
      formats: [
        {
          format: 'XR24',
          modifiers: [0x0100000000000002n, 0n],
          uses: ['scanout'],
          source: 'kernel:IN_FORMATS',
        },
        { format: 'C8  ', modifiers: [0n], uses: ['scanout'], source: 'kernel:IN_FORMATS' },
        { format: 'NV12', modifiers: [0n], uses: ['scanout'], source: 'kernel:MODE_GETPLANE' },
      ],
      limits: [
        { limit: 'max-width', value: 16384, source: 'kernel:MODE_GETRESOURCES', uses: ['scanout'] },
        { limit: 'max-height', value: 16384, source: 'kernel:MODE_GETRESOURCES', uses: ['scanout'] },
      ],
      modes: [
        { ...mode, refresh: 60, preferred: true, current: true },
        { ...mode, refresh: 48, preferred: false, current: false },
      ],
    });
    expect(inventory.machine.kernel).toBe('6.8.9-arch1-2');
    expect(inventory.heaps.map(({ id }) => id)).toContain('drm-dumb:/dev/dri/card1');
  });

  it('has no heap of dumb buffers that the driver cannot pass on', async () => {
    const imports = DRM_INFO.text.replace(/"PRIME": \d+/, '"PRIME": 1');
    expect(imports).not.toBe(DRM_INFO.text);
    const { inventory } = await inventoryFromDumps([{ ...DRM_INFO, text: imports }]);
    expect(inventory.heaps.map(({ kind }) => kind)).not.toContain('drm-dumb');
  });

  it('leaves unknown what it does not say, and says so', async () => {
    const { machine, heaps, warnings } = (await inventoryFromDumps([DRM_INFO])).inventory;
    expect([machine.ram, machine.ramTop]).toEqual([unknown(0n), unknown(0n)]);
    expect(heaps.filter(({ kind }) => kind === 'dma-heap').map((heap) => heap.class)).toEqual([
      unknown('scattered'),
      unknown('contiguous'),
    ]);
    expect(warnings.filter((text) => text.startsWith('unknown: '))).toHaveLength(4);
  });
});

describe('modetest', () => {
  // Shape: tests/modetest/modetest.c of libdrm; the blob is struct drm_format_modifier_blob of drm_mode.h.
  it('is the card of its driver, with formats and modifiers of the blob', async () => {
    const { inventory } = await inventoryFromDumps([MODETEST]);
    const device = deviceOf(inventory, '/dev/dri/card0');
    expect([device.driver, device.uses]).toEqual(['rockchip', ['scanout']]);
    expect(device.formats.map(({ format, modifiers }) => [format, modifiers])).toEqual([
      ['XR24', [0x0800000000000041n, 0n]],
      ['AR24', [0x0800000000000041n, 0n]],
      ['RG16', [0x0800000000000041n, 0n]],
      ['NV12', [0n]],
      ['R8  ', [0n]],
      ['C8  ', [0n]],
      ['XB24', [0n]],
    ]);
    expect(
      device.modes.map(({ connector, width, refresh, current }) => [connector, width, refresh, current]),
    ).toEqual([
      ['HDMI-A-1', 1280, 60, true],
      ['HDMI-A-1', 1280, 75, false],
      ['HDMI-A-1', 1024, 60, false],
    ]);
    expect(device.imports).toBeUndefined();
  });

  it('is what a person put into a report: one plane of a Raspberry Pi 4, with its 23 formats', async () => {
    const { inventory } = await inventoryFromDumps([dump('pi4-report.modetest.txt')]);
    const { uses, formats, modes } = deviceOf(inventory, '/dev/dri/card0');
    expect([uses, modes]).toEqual([['scanout'], []]);
    expect(formats).toHaveLength(23);
    for (const format of ['XR24', 'NV21', 'P030', 'XB30'])
      expect(formats).toContainEqual({
        format,
        modifiers: [0n],
        uses: ['scanout'],
        source: 'kernel:MODE_GETPLANE',
      });
  });

  it('is of the node that the name of the file has', async () => {
    const { inventory } = await inventoryFromDumps([{ ...MODETEST, name: 'modetest-card2.txt' }]);
    expect(deviceOf(inventory, '/dev/dri/card2').driver).toBe('rockchip');
  });

  it('reads tabs that became spaces', async () => {
    const spaced = { ...MODETEST, text: MODETEST.text.replaceAll('\t', '        ') };
    const [one, other] = await Promise.all([inventoryFromDumps([MODETEST]), inventoryFromDumps([spaced])]);
    expect(other.inventory).toEqual(one.inventory);
  });
});

describe('v4l2-ctl --all --list-formats-ext', () => {
  // Shape: v4l2-ctl.cpp and v4l2-info.cpp of v4l-utils.
  it('is a device for each node, in one file, named by what stands above it', async () => {
    const { inventory } = await inventoryFromDumps([V4L2_CTL]);
    expect(inventory.devices.map(({ node, driver, uses }) => [node, driver, uses]).slice(1)).toEqual([
      ['/dev/video0', 'uvcvideo', ['capture']],
      ['/dev/video10', 'bcm2835-codec', ['decode']],
      ['/dev/video11', 'bcm2835-codec', ['encode']],
    ]);
    const camera = deviceOf(inventory, '/dev/video0');
    expect(camera.name).toBe('HD Pro Webcam C920');
    expect(camera.formats.map(({ format }) => format)).toEqual(['YUYV']);
    expect(camera.otherFormats?.map(({ name }) => name)).toEqual(['MJPG']);
    expect(camera.pictures?.map(({ width, height, bits }) => [width, height, bits])).toEqual([
      [2304, 1536, 16],
    ]);
    expect(deviceOf(inventory, '/dev/video10').formats.map(({ format }) => format)).toEqual(['YU12', 'NV12']);
    // What goes into an encoder is listed by --list-formats-out alone, so that it is not known.
    expect(deviceOf(inventory, '/dev/video11').formats).toEqual([]);
  });
});

describe('grep over /sys', () => {
  it('is machine, cards with their render nodes, video nodes and heaps', async () => {
    const { inventory } = await inventoryFromDumps([SYS]);
    const { machine, devices, heaps } = inventory;
    expect(machine).toMatchObject({
      name: 'Raspberry Pi 4 Model B Rev 1.4',
      architecture: 'aarch64',
      kernel: '6.1.21-v8+',
      ram: { value: 3885388n * 1024n, source: 'kernel:/proc/meminfo' },
    });
    expect(
      devices.slice(1).map(({ node, otherNodes, driver, number }) => [node, otherNodes, driver, number]),
    ).toEqual([
      ['/dev/dri/card0', ['/dev/dri/renderD128'], 'v3d', '226:0'],
      ['/dev/dri/card1', [], 'vc4-drm', '226:1'],
      ['/dev/video0', [], 'unknown', '81:9'],
    ]);
    expect(deviceOf(inventory, '/dev/dri/card1').modes.map(({ width }) => width)).toEqual([1920, 1280]);
    expect(heaps.map(({ id }) => id)).toEqual(['dma-heap:linux,cma', 'dma-heap:system', 'udmabuf', 'memfd']);
  });
});

describe('several files of one machine', () => {
  it('are one machine: what a tool says belongs to the device that /sys lists', async () => {
    const { inventory } = await inventoryFromDumps([V4L2_CTL, SYS]);
    const camera = deviceOf(inventory, '/dev/video0');
    expect([camera.driver, camera.number, camera.formats.length]).toEqual(['uvcvideo', '81:9', 1]);
    expect(inventory.devices).toHaveLength(6);
  });

  it('may stand in one text, in any order', async () => {
    const text = `${SYS.text}\n${MODETEST.text.replace("'rockchip'", "'vc4-drm'")}`;
    const { inventory, from } = await inventoryFromDumps([{ name: 'report.txt', text }]);
    expect(from).toEqual(['modetest, grep over /sys (report.txt)']);
    expect(deviceOf(inventory, '/dev/dri/card1').formats).toHaveLength(7);
  });

  it('becomes a profile that reads back as the same machine, without a warning', async () => {
    const { inventory, from } = await inventoryFromDumps([DRM_INFO, V4L2_CTL, SYS]);
    const profile = importProfile(inventory, from, new Date(0));
    const loaded = inventoryFromProfile(profile, 'a.json');
    expect([loaded.warnings, loaded.inventory]).toEqual([[], inventory]);
    expect(loaded.provenance).toEqual({ kind: 'imported', at: '1970-01-01T00:00:00.000Z', from });
  });
});

describe('a text from a stranger', () => {
  it('is refused with file and line, or place in the document', async () => {
    expect(await errorOf({ name: 'a.txt', text: 'hello' })).toMatch(/^a\.txt:1: is none of/);
    expect(await errorOf({ name: 'a.json', text: '{\n\n "a": }' })).toBe('a.json:3: is not JSON');
    expect(await errorOf({ name: 'a.json', text: '{}' })).toMatch(/^a\.json: \$: has no card/);
    const wrong = DRM_INFO.text.replace(/("id": 31,\s+"possible_crtcs": )1/, '$1"all"');
    expect(await errorOf({ name: 'a.json', text: wrong })).toMatch(
      /^a\.json: \$\["\/dev\/dri\/card1"\]\.planes\[0\]\.possible_crtcs: is not a whole number/,
    );
    expect(await errorOf({ name: 'v', text: 'Driver Info:\n\tDriver name : x\n' })).toMatch(
      /^v:1: .*capabilities/,
    );
    const blob = MODETEST.text.replace('0100000000000000', '0900000000000000');
    expect(await errorOf({ name: 'm', text: blob })).toMatch(
      /^m:\d+: .*IN_FORMATS cannot be read \(version\)/,
    );
  });

  it('is bounded in files, bytes and parts', async () => {
    expect(await errorOf(...Array.from({ length: DUMP_LIMITS.files + 1 }, () => SYS))).toMatch(/files/);
    const line = '/sys/class/drm/card0/dev:';
    expect(await errorOf({ name: 'l', text: `${line}${'1'.repeat(DUMP_LIMITS.lineBytes)}` })).toMatch(
      /^l:1: .*long/,
    );
    expect(await errorOf({ name: 'b', text: ' '.repeat(DUMP_LIMITS.fileBytes + 1) })).toMatch(/^b: .*larger/);
    const infos = 'Driver Info:\n\tCapabilities : 0x04200001\n'.repeat(DUMP_LIMITS.videos + 1);
    expect(await errorOf({ name: 'v', text: infos })).toBe(
      `v:${2 * DUMP_LIMITS.videos + 1}: more than 256 video nodes`,
    );
    const files = Array.from({ length: DUMP_LIMITS.listedFiles + 1 }, (_, i) => `/sys/a/${i}:1`).join('\n');
    expect(await errorOf({ name: 'f', text: files })).toMatch(/^f:65537: more than 65536 files/);
  });

  it('is never anything but a machine or an error that says where', async () => {
    const texts = [DRM_INFO, MODETEST, V4L2_CTL, SYS].map(({ text }) => text);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...texts),
        fc.array(fc.tuple(fc.nat(), fc.nat(40), fc.string({ maxLength: 12 })), { maxLength: 6 }),
        async (text, cuts) => {
          const broken = cuts.reduce((whole, [at, length, insert]) => {
            const place = at % (whole.length + 1);
            return whole.slice(0, place) + insert + whole.slice(place + length);
          }, text);
          try {
            const { inventory, from } = await inventoryFromDumps([{ name: 'x', text: broken }]);
            const loaded = inventoryFromProfile(importProfile(inventory, from, new Date(0)), 'x.json');
            expect(loaded.warnings).toEqual([]);
          } catch (error) {
            expect(error).toBeInstanceOf(DumpError);
            expect((error as Error).message).toMatch(/^x(:\d+)?: /);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
