import { describe, expect, it } from 'vitest';

import { CMA, heapFacts, MIB, SYSTEM } from '../machine.js';
import { board, camera, display, measured } from './machines.js';

const BOARD = { compatible: ['raspberrypi,4-model-b'], commandLine: '/boot/firmware/cmdline.txt' };
const SENSOR = camera(4056, 3040);
const CONTIGUOUS = '[Device driver=testcam]\nContiguous=yes\n';
const cma = (mib: bigint) => ({ ...CMA, capacity: { value: mib * MIB, source: 'kernel:test' } });
const FILE = 'policy:/etc/dmabroker/dmabroker.conf';

const shortfalls = (...args: Parameters<typeof measured>) => measured(...args).shortfalls;

describe('a shortfall of pictures', () => {
  it('says what policy asks, what there is, and what mends it where', () => {
    const inventory = board([SENSOR], [SYSTEM, cma(32n)], 1024n, BOARD);
    const text = `${CONTIGUOUS}[Pool contiguous]\nLimit=100% of heap\n`;
    const mend = 'add `cma=64M` to the kernel command line (this board: /boot/firmware/cmdline.txt)';
    expect(shortfalls(inventory, text)).toEqual([
      {
        class: 'contiguous',
        asked: 61_651_200n,
        available: 32n * MIB,
        text:
          'contiguous memory: policy asks for 4 frames of 4056×3040 packed 10-bit Bayer = 58.8 MiB, ' +
          `the kernel reserved 32 MiB: ${mend}`,
        mend,
      },
    ]);
    expect(shortfalls(board([SENSOR], [SYSTEM, cma(64n)], 1024n, BOARD), text)).toEqual([]);
  });

  it('counts what policy leaves to the kernel’s drivers', () => {
    const text = `${CONTIGUOUS}[Pool contiguous]\nLimit=min(80% of heap, 50%)\n`;
    const inventory = board([SENSOR], [cma(64n)], 1024n, BOARD);
    expect(shortfalls(inventory, text).map((shortfall) => shortfall.text)).toEqual([
      'contiguous memory: policy asks for 4 frames of 4056×3040 packed 10-bit Bayer = 58.8 MiB, the kernel reserved ' +
        `64 MiB, of which policy lets 51.2 MiB be handed out (${FILE}:4): add \`cma=80M\` to the kernel command ` +
        'line (this board: /boot/firmware/cmdline.txt)',
    ]);
    expect(shortfalls(board([SENSOR], [cma(80n)], 1024n, BOARD), text)).toEqual([]);
  });

  it('adds up displays and cameras of one class', () => {
    const inventory = board([display(1920, 1080), SENSOR], [cma(32n)]);
    const [only, ...others] = shortfalls(
      inventory,
      '[Device driver=*]\nContiguous=yes\n[Pool contiguous]\nLimit=100% of heap\n',
    );
    expect(others).toEqual([]);
    expect(only?.asked).toBe(61_651_200n + 3n * 8_294_400n);
    expect(only?.text).toContain(
      '3 frames of 1920×1080 32-bit RGB and 4 frames of 4056×3040 packed 10-bit Bayer = 82.5 MiB',
    );
  });

  it('of memory that only policy bounds is mended by policy', () => {
    const inventory = board([display(1920, 1080)], [SYSTEM]);
    expect(shortfalls(inventory, '[Pool scattered]\nLimit=20M\n')).toEqual([
      {
        class: 'scattered',
        asked: 24_883_200n,
        available: 20n * MIB,
        text:
          `scattered memory: policy asks for 3 frames of 1920×1080 32-bit RGB = 23.7 MiB, policy lets 20 MiB be handed out ` +
          `(${FILE}:2): put \`Limit=24M\` under [Pool scattered] in /etc/dmabroker/dmabroker.conf.d/60-local.conf`,
        mend: 'put `Limit=24M` under [Pool scattered] in /etc/dmabroker/dmabroker.conf.d/60-local.conf',
      },
    ]);
    expect(shortfalls(inventory, '[Pool scattered]\nLimit=24M\n')).toEqual([]);
  });

  it('of reserved memory that policy bounds otherwise is mended by policy, and at boot where it is too small as well', () => {
    const text = `${CONTIGUOUS}[Pool contiguous]\nLimit=4%\n`;
    const limit = 'put `Limit=59M` under [Pool contiguous] in /etc/dmabroker/dmabroker.conf.d/60-local.conf';
    expect(shortfalls(board([SENSOR], [cma(64n)]), text)[0]?.mend).toBe(limit);
    expect(shortfalls(board([SENSOR], [cma(48n)]), text)[0]?.mend).toBe(
      `add \`cma=64M\` to the kernel command line, and ${limit}`,
    );
    expect(shortfalls(board([SENSOR], [cma(64n)]), `${CONTIGUOUS}[Pool contiguous]\nLimit=59M\n`)).toEqual(
      [],
    );
  });

  it('of a class that is not there says so', () => {
    const absent = shortfalls(
      board([SENSOR], [SYSTEM]),
      `${CONTIGUOUS}[Pool contiguous]\nLimit=80% of heap\n`,
    );
    expect(absent).toMatchObject([{ available: 0n, mend: 'add `cma=80M` to the kernel command line' }]);
    expect(absent[0]?.text).toContain('= 58.8 MiB, the kernel reserved none: ');
    const closed = { ...cma(128n), usable: false, unusable: 'EACCES' };
    expect(shortfalls(board([SENSOR], [closed]), CONTIGUOUS)).toMatchObject([
      { text: expect.stringMatching(/and the broker may not open what the kernel has$/) as string },
    ]);
    expect(
      shortfalls(board([SENSOR], [cma(128n)]), `${CONTIGUOUS}[Heap ${CMA.name}]\nUse=no\n`),
    ).toMatchObject([
      {
        text: expect.stringMatching(/and policy or the devices leave none of what the kernel has$/) as string,
      },
    ]);
  });

  it('of udmabuf is mended by what its module says', () => {
    const udmabuf = heapFacts('udmabuf', {
      kind: 'udmabuf',
      maxBuffer: { value: 8n * MIB, source: 'kernel:test' },
    });
    expect(shortfalls(board([display(3840, 2160)], [udmabuf]), '')).toMatchObject([
      {
        text: expect.stringContaining('and the kernel makes no buffer as large as one of them') as string,
        mend: 'put `options udmabuf size_limit_mb=32` into /etc/modprobe.d/udmabuf.conf',
      },
    ]);
    expect(shortfalls(board([display(3840, 2160)], []), '')).toMatchObject([
      { mend: 'load the module udmabuf (`modprobe udmabuf`)' },
    ]);
  });

  it('that no machine of this size could mend says no mend', () => {
    const [only] = shortfalls(
      board([camera(16384, 16384)], [SYSTEM], 256n),
      `${CONTIGUOUS}[Broker]\nMaxBuffer=9G\n`,
    );
    expect(only?.mend).toBeUndefined();
    expect(only?.text).toMatch(/the kernel reserved none$/);
  });

  it('is none where policy asks for none', () => {
    expect(shortfalls(board([SENSOR], []), `${CONTIGUOUS}[Broker]\nCameraFrames=0\n`)).toMatchObject([
      {
        text: 'contiguous memory: /dev/video0 cannot do without, and none is in reach: add `cma=32M` to the kernel command line',
      },
    ]);
    expect(shortfalls(board([SENSOR], []), '[Broker]\nCameraFrames=0\n')).toEqual([]);
  });
});

describe('a shortfall of one buffer', () => {
  it('is a picture that is larger than MaxBuffer', () => {
    expect(shortfalls(board([SENSOR], [SYSTEM]), '[Broker]\nMaxBuffer=10M\n')).toEqual([
      {
        class: 'scattered',
        asked: 15_412_800n,
        available: 10n * MIB,
        text:
          'scattered memory: one picture of 4056×3040 packed 10-bit Bayer is 14.7 MiB, and policy lets a buffer have ' +
          `10 MiB (${FILE}:2): put \`MaxBuffer=15M\` under [Broker] in /etc/dmabroker/dmabroker.conf.d/60-local.conf`,
        mend: 'put `MaxBuffer=15M` under [Broker] in /etc/dmabroker/dmabroker.conf.d/60-local.conf',
      },
    ]);
  });
});

describe('a shortfall of what policy allows', () => {
  it('is a limit that the heap cannot keep, unless more was said of the class', () => {
    const text = '[Pool contiguous]\nLimit=100M\n';
    expect(shortfalls(board([], [cma(64n)]), text)).toMatchObject([
      {
        class: 'contiguous',
        asked: 100n * MIB,
        available: 64n * MIB,
        mend: 'add `cma=112M` to the kernel command line',
      },
    ]);
    expect(shortfalls(board([SENSOR], [cma(32n)]), text + CONTIGUOUS)).toHaveLength(1);
    const secure = { ...cma(64n), class: { value: 'protected', source: 'kernel:test' } as const };
    expect(shortfalls(board([], [secure]), '[Pool protected]\nLimit=100M\n')[0]?.mend).toBeUndefined();
  });
});

describe('a shortfall of reach', () => {
  const decoder = { ...camera(1, 1), pictures: [], uses: ['decode'] as const };

  it('is a device that takes contiguous memory only and finds none', () => {
    expect(shortfalls(board([decoder], [SYSTEM]), CONTIGUOUS)).toMatchObject([
      { asked: 24_883_200n, available: 0n, mend: 'add `cma=32M` to the kernel command line' },
    ]);
  });

  it('has no mend where there is contiguous memory that the device does not reach', () => {
    const inventory = {
      ...board([decoder], [cma(64n)]),
      reach: [{ device: decoder.node, heap: CMA.id, reachable: false, source: 'trial:test' }],
    };
    expect(shortfalls(inventory, CONTIGUOUS)).toMatchObject([
      { text: 'contiguous memory: /dev/video0 cannot do without, and none is in reach' },
    ]);
  });
});
