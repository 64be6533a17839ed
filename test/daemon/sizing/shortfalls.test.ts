import { describe, expect, it } from 'vitest';

import { CMA, heapFacts, MIB, SYSTEM } from '../machine.js';
import { board, camera, display, measured } from './machines.js';
import { naming } from '../../harness/naming.js';

const BOARD = { compatible: ['raspberrypi,4-model-b'], commandLine: '/boot/firmware/cmdline.txt' };
const SENSOR = camera(4056, 3040);
const CONTIGUOUS = '[Device driver=testcam]\nContiguous=yes\n';
const cma = (mib: bigint) => ({ ...CMA, capacity: { value: mib * MIB, source: 'kernel:test' } });
const FILE = 'policy:/etc/dmabroker/dmabroker.conf';

const LOCAL = '/etc/dmabroker/dmabroker.conf.d/60-local.conf';

/** A text that names these. */
const said = (...values: readonly (string | number)[]): string =>
  expect.stringMatching(naming(...values)) as string;

const shortfalls = (...args: Parameters<typeof measured>) => measured(...args).shortfalls;

/** What mends it is what its text ends with. */
function expectMendAtEnd(found: ReturnType<typeof shortfalls>): void {
  for (const { text, mend = '?' } of found) expect(text.endsWith(`: ${mend}`)).toBe(true);
}

/** The text without what mends it. */
const reasonOf = ([only]: ReturnType<typeof shortfalls>): string | undefined =>
  only?.text.replace(`: ${only.mend ?? ''}`, '');

describe('a shortfall of pictures', () => {
  it('says what policy asks, what there is, and what mends it where', () => {
    const inventory = board([SENSOR], [SYSTEM, cma(32n)], 1024n, BOARD);
    const text = `${CONTIGUOUS}[Pool contiguous]\nLimit=100% of heap\n`;
    const found = shortfalls(inventory, text);
    expect(found).toEqual([
      {
        class: 'contiguous',
        asked: 61_651_200n,
        available: 32n * MIB,
        text: said('contiguous', 4, '4056×3040', '58.8 MiB', '32 MiB'),
        mend: said('`cma=64M`', '/boot/firmware/cmdline.txt'),
      },
    ]);
    expectMendAtEnd(found);
    expect(shortfalls(board([SENSOR], [SYSTEM, cma(64n)], 1024n, BOARD), text)).toEqual([]);
  });

  it('counts what policy leaves to the kernel’s drivers', () => {
    const text = `${CONTIGUOUS}[Pool contiguous]\nLimit=min(80% of heap, 50%)\n`;
    const inventory = board([SENSOR], [cma(64n)], 1024n, BOARD);
    expect(shortfalls(inventory, text).map((shortfall) => shortfall.text)).toEqual([
      said('58.8 MiB', '64 MiB', '51.2 MiB', `${FILE}:4`, '`cma=80M`', '/boot/firmware/cmdline.txt'),
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
    expect(only?.text).toEqual(said(3, '1920×1080', 4, '4056×3040', '82.5 MiB'));
  });

  it('of memory that only policy bounds is mended by policy', () => {
    const inventory = board([display(1920, 1080)], [SYSTEM]);
    const found = shortfalls(inventory, '[Pool scattered]\nLimit=20M\n');
    expect(found).toEqual([
      {
        class: 'scattered',
        asked: 24_883_200n,
        available: 20n * MIB,
        text: said('scattered', 3, '1920×1080', '23.7 MiB', '20 MiB', `${FILE}:2`),
        mend: said('`Limit=24M`', '[Pool scattered]', LOCAL),
      },
    ]);
    expectMendAtEnd(found);
    expect(shortfalls(inventory, '[Pool scattered]\nLimit=24M\n')).toEqual([]);
  });

  it('of reserved memory that policy bounds otherwise is mended by policy, and at boot where it is too small as well', () => {
    const text = `${CONTIGUOUS}[Pool contiguous]\nLimit=4%\n`;
    const limit = ['`Limit=59M`', '[Pool contiguous]', LOCAL];
    const atRunTime = shortfalls(board([SENSOR], [cma(64n)]), text)[0]?.mend;
    expect(atRunTime).toEqual(said(...limit));
    expect(atRunTime).not.toContain('cma=');
    expect(shortfalls(board([SENSOR], [cma(48n)]), text)[0]?.mend).toEqual(said('`cma=64M`', ...limit));
    expect(shortfalls(board([SENSOR], [cma(64n)]), `${CONTIGUOUS}[Pool contiguous]\nLimit=59M\n`)).toEqual(
      [],
    );
  });

  it('of a class that is not there says so', () => {
    const absent = shortfalls(
      board([SENSOR], [SYSTEM]),
      `${CONTIGUOUS}[Pool contiguous]\nLimit=80% of heap\n`,
    );
    expect(absent).toMatchObject([{ available: 0n, text: said('58.8 MiB'), mend: said('`cma=80M`') }]);
    const closed = { ...cma(128n), usable: false, unusable: 'EACCES' };
    const unopened = shortfalls(board([SENSOR], [closed]), CONTIGUOUS);
    const unused = shortfalls(board([SENSOR], [cma(128n)]), `${CONTIGUOUS}[Heap ${CMA.name}]\nUse=no\n`);
    for (const found of [unopened, unused]) {
      expect(found).toMatchObject([{ available: 0n, text: said('58.8 MiB') }]);
      expect(found[0]).not.toHaveProperty('mend');
    }
    // Each says another reason.
    expect(new Set([absent, unopened, unused].map(reasonOf)).size).toBe(3);
  });

  it('of udmabuf is mended by what its module says', () => {
    const udmabuf = heapFacts('udmabuf', {
      kind: 'udmabuf',
      maxBuffer: { value: 8n * MIB, source: 'kernel:test' },
    });
    expect(shortfalls(board([display(3840, 2160)], [udmabuf]), '')).toMatchObject([
      {
        available: 0n,
        mend: said('`options udmabuf size_limit_mb=32`', '/etc/modprobe.d/udmabuf.conf'),
      },
    ]);
    expect(shortfalls(board([display(3840, 2160)], []), '')).toMatchObject([
      { available: 0n, mend: said('`modprobe udmabuf`') },
    ]);
  });

  it('that no machine of this size could mend says no mend', () => {
    const [only] = shortfalls(
      board([camera(16384, 16384)], [SYSTEM], 256n),
      `${CONTIGUOUS}[Broker]\nMaxBuffer=9G\n`,
    );
    expect(only?.mend).toBeUndefined();
    expect(only?.available).toBe(0n);
    expect(only?.text).not.toContain('`');
  });

  it('is none where policy asks for none', () => {
    expect(shortfalls(board([SENSOR], []), `${CONTIGUOUS}[Broker]\nCameraFrames=0\n`)).toMatchObject([
      {
        text: said('contiguous', '/dev/video0', '`cma=32M`'),
      },
    ]);
    expect(shortfalls(board([SENSOR], []), '[Broker]\nCameraFrames=0\n')).toEqual([]);
  });
});

describe('a shortfall of one buffer', () => {
  it('is a picture that is larger than MaxBuffer', () => {
    const found = shortfalls(board([SENSOR], [SYSTEM]), '[Broker]\nMaxBuffer=10M\n');
    expect(found).toEqual([
      {
        class: 'scattered',
        asked: 15_412_800n,
        available: 10n * MIB,
        text: said('scattered', '4056×3040', '14.7 MiB', '10 MiB', `${FILE}:2`),
        mend: said('`MaxBuffer=15M`', '[Broker]', LOCAL),
      },
    ]);
    expectMendAtEnd(found);
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
        mend: said('`cma=112M`'),
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
      { asked: 24_883_200n, available: 0n, mend: said('`cma=32M`') },
    ]);
  });

  it('has no mend where there is contiguous memory that the device does not reach', () => {
    const inventory = {
      ...board([decoder], [cma(64n)]),
      reach: [{ device: decoder.node, heap: CMA.id, reachable: false, source: 'trial:test' }],
    };
    expect(shortfalls(inventory, CONTIGUOUS)).toMatchObject([
      { asked: 24_883_200n, available: 0n, text: said('contiguous', '/dev/video0') },
    ]);
    expect(shortfalls(inventory, CONTIGUOUS)[0]).not.toHaveProperty('mend');
  });
});

describe('a device that needs memory in one piece for one use', () => {
  const codec = camera(64, 64, 10, { uses: ['capture', 'output'], pictures: [] });
  const lacking = (policy: string) =>
    shortfalls(board([codec], [SYSTEM, cma(64n)]), `[Device driver=testcam]\n${policy}`).map(
      (shortfall) => shortfall.class,
    );

  it('lacks it where it may not import it for that use', () => {
    expect(lacking('Contiguous=yes\n')).toEqual([]);
    expect(lacking('Contiguous=yes\nForeignImports[capture]=no\n')).toEqual(['contiguous']);
    expect(lacking('Contiguous=no\nForeignImports[capture]=no\n')).toEqual([]);
  });
});
