import { describe, expect, it } from 'vitest';

import { CMA, heapFacts, MIB, SYSTEM } from '../machine.js';
import { board, camera, display, measured } from './machines.js';

/** 4 MiB each. */
const DISPLAY = display(1024, 1024);
const SENSOR = camera(1024, 1024, 32);
const limits = (scattered: number, contiguous: number, more = ''): string =>
  `[Pool scattered]\nLimit=${scattered}M\n[Pool contiguous]\nLimit=${contiguous}M\n[Pool device]\nLimit=0\n${more}`;
const CONTIGUOUS = '[Device driver=testcam]\nContiguous=yes\n';

const fits = (...args: Parameters<typeof measured>) =>
  measured(...args).fits.map(({ groups, alone, held }) => [groups.map((group) => group.class), alone, held]);

describe('fitNeeds', () => {
  it('says how many pictures fit alone, and how many while everybody has theirs', () => {
    const inventory = board([DISPLAY, SENSOR], [SYSTEM]);
    expect(fits(inventory, limits(40, 0))).toEqual([
      [['scattered'], 10n, 3n],
      [['scattered'], 10n, 4n],
    ]);
    expect(fits(inventory, limits(20, 0))).toEqual([
      [['scattered'], 5n, 3n],
      [['scattered'], 5n, 2n],
    ]);
  });

  it('lets those go first that have the fewest rooms to choose from', () => {
    const inventory = board([DISPLAY, SENSOR], [SYSTEM, CMA]);
    // The display overflows into contiguous memory, but only into what the camera leaves.
    expect(fits(inventory, limits(4, 20, CONTIGUOUS))).toEqual([
      [['scattered', 'contiguous'], 6n, 2n],
      [['contiguous'], 5n, 4n],
    ]);
  });

  it('keeps to the heaps that a device reaches', () => {
    const inventory = {
      ...board([DISPLAY], [SYSTEM]),
      reach: [{ device: DISPLAY.node, heap: SYSTEM.id, reachable: false, source: 'trial:test' }],
    };
    expect(fits(inventory, limits(40, 0))).toEqual([[[], 0n, 0n]]);
    expect(
      fits(board([DISPLAY], [SYSTEM]), limits(40, 0, '[Device driver=testdrm]\nForeignImports=no\n')),
    ).toEqual([[[], 0n, 0n]]);
  });

  it('keeps to the heaps that a device reaches for that use', () => {
    const own = heapFacts('drm-dumb:card0', {
      kind: 'drm-dumb',
      node: DISPLAY.node,
      class: { value: 'device', source: 'kernel:test' },
    });
    const text = `${limits(40, 0)}[Device driver=testdrm]\nForeignImports[scanout]=no\n`.replace(
      '[Pool device]\nLimit=0',
      '[Pool device]\nLimit=8M',
    );
    expect(fits(board([DISPLAY], [SYSTEM, own]), text)).toEqual([[['device'], 2n, 2n]]);
    const { shortfalls } = measured(board([DISPLAY], [SYSTEM]), text);
    expect(shortfalls.map((shortfall) => shortfall.class)).toEqual(['device']);
  });

  it('keeps below the addresses that a device reaches', () => {
    const low = heapFacts('dma-heap:low', { addressBits: { value: 30, source: 'kernel:test' } });
    const near = { ...SENSOR, dmaMaskBits: { value: 30, source: 'kernel:test' } };
    const reached = (heap: typeof low) => measured(board([near], [heap]), limits(40, 0)).fits[0]?.alone;
    expect(reached(low)).toBe(10n);
    expect(reached(SYSTEM)).toBe(0n);
  });

  it('keeps to heaps that make buffers large enough, and to MaxBuffer', () => {
    const udmabuf = heapFacts('udmabuf', {
      kind: 'udmabuf',
      maxBuffer: { value: 2n * MIB, source: 'kernel:test' },
    });
    expect(fits(board([DISPLAY], [udmabuf]), limits(40, 0))).toEqual([[[], 0n, 0n]]);
    expect(fits(board([DISPLAY], [SYSTEM]), limits(40, 0, '[Broker]\nMaxBuffer=3M\n'))).toEqual([
      [[], 0n, 0n],
    ]);
  });

  it('keeps protected memory for those who take no other, and plain for programs', () => {
    const secure = heapFacts('dma-heap:secure', { class: { value: 'protected', source: 'kernel:test' } });
    const text = limits(40, 0, '[Pool protected]\nLimit=8M\n');
    expect(fits(board([DISPLAY], [secure]), text)).toEqual([[[], 0n, 0n]]);
    const picky = `${text}[Device driver=testdrm]\nProtected=yes\n`;
    expect(fits(board([DISPLAY], [SYSTEM, secure]), picky)).toEqual([[['protected'], 2n, 2n]]);
  });

  it('asks for what the use asks: limits of other uses do not count', () => {
    const limited = {
      ...SENSOR,
      limits: [{ limit: 'contiguous', value: true, source: 'kernel:test', uses: ['output'] } as const],
    };
    expect(fits(board([limited], [SYSTEM]), limits(40, 0))).toEqual([[['scattered'], 10n, 4n]]);
  });
});
