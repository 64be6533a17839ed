import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { widthOf } from '../../../../client/cli/table.js';
import type { OwnerPicture, Picture, PoolPicture } from '../../../../client/cli/top/tally.js';
import { viewLines, type ViewOptions } from '../../../../client/cli/top/view.js';
import { pool, status } from './objects.js';

const MIB = 1n << 20n;
const poolPicture = (handle: string, others: Partial<PoolPicture> = {}): PoolPicture => ({
  ...pool(handle),
  hitsPerSecond: 0,
  missesPerSecond: 0,
  ...others,
});
const owner = (name: string, others: Partial<OwnerPicture> = {}): OwnerPicture => ({
  ...{ owner: name, user: 1000, unit: '', state: 'held', labels: [], allocations: 1, buffers: 3 },
  ...{ size: 24n * MIB, allocationsPerSecond: 0 },
  ...others,
});

const PICTURE: Picture = {
  broker: status({ liveBuffers: 15n, liveBytes: 424n * MIB + MIB / 2n, warnings: ['one'] }),
  pools: [
    poolPicture('a1b2c3d4', { limit: 800n * MIB, live: 24n * MIB, warm: 16n * MIB, hitsPerSecond: 59.94 }),
    poolPicture('ffff0000', { limit: 800n * MIB, missesPerSecond: 0.25 }),
    poolPicture('c', { class: 'contiguous', limit: 408n * MIB, live: 400n * MIB + MIB / 2n }),
  ],
  owners: [
    owner(':1.42', {
      size: 400n * MIB,
      buffers: 12,
      unit: 'app-camera.scope',
      process: 'mpv[4711]',
      labels: ['preview', 'raw'],
    }),
    owner(':1.7', { allocationsPerSecond: 2, labels: ['screen'] }),
    owner(':1.7', { state: 'orphaned', buffers: 1, size: 4096n }),
  ],
};

const plain = (_: unknown, text: string): string => text;
const view = (picture: Picture, options: Partial<ViewOptions> = {}): readonly string[] =>
  viewLines(picture, { width: 80, height: 24, colour: plain, ...options });

describe('viewLines', () => {
  it('fits into 80 columns', () => {
    expect(view(PICTURE, { foot: 'q ends' })).toEqual([
      'dmabroker 1.2.3: 15 buffers, 424.5 MiB; 60 hits/s, 0.3 misses/s',
      '1 warning: dmabrokerctl status',
      '',
      'POOL                  LIVE       LIMIT  USED                WARM  BUFS/S  HIT %',
      'scattered:a1b2      24 MiB     800 MiB  ------   3 %      16 MiB      60    100',
      'scattered:ffff         0 B     800 MiB  ------   0 %         0 B     0.3      0',
      'contiguous       400.5 MiB     408 MiB  ######  98 %         0 B       0',
      '',
      'OWNER  USER  STATE     BUFFERS        SIZE  NEW/S  PROCESS, UNIT: LABELS',
      ':1.42  1000  held           12     400 MiB      0  mpv[4711], app-camera.scope:',
      '                                                   preview, raw',
      ':1.7   1000  held            3      24 MiB    2.0  screen',
      ':1.7   1000  orphaned        1       4 KiB      0',
      '',
      'q ends',
    ]);
  });

  it('has bars where there is room', () => {
    const lines = view(PICTURE, { width: 200 });
    expect(lines.slice(3, 7)).toEqual([
      'POOL                  LIVE       LIMIT  USED                                                  WARM  BUFS/S  HIT %',
      'scattered:a1b2      24 MiB     800 MiB  #---------------------------------------   3 %      16 MiB      60    100',
      'scattered:ffff         0 B     800 MiB  ----------------------------------------   0 %         0 B     0.3      0',
      'contiguous       400.5 MiB     408 MiB  #######################################-  98 %         0 B       0',
    ]);
    expect(lines[9]).toMatch(/mpv\[4711\], app-camera\.scope: preview, raw$/);
  });

  it('shows a file all there is', () => {
    const many = { ...PICTURE, owners: Array.from({ length: 100 }, (_, index) => owner(`:1.${index}`)) };
    expect(view(many, { width: Infinity, height: Infinity })).toHaveLength(3 + 4 + 2 + 100);
  });

  it('leaves out owners that there is no room for, and says how many', () => {
    const many = { ...PICTURE, owners: Array.from({ length: 100 }, (_, index) => owner(`:1.${index}`)) };
    const lines = view(many, { height: 20, foot: 'q ends' });
    expect(lines).toHaveLength(20);
    expect(lines.slice(-3)).toEqual(['and 92 more', '', 'q ends']);
  });

  it('shows what an owner has in at most three lines, and owners whole or not at all', () => {
    const labels = Array.from({ length: 9 }, (_, index) => `camera-preview-${index}`);
    const many = {
      ...PICTURE,
      owners: [owner(':1.1', { labels }), owner(':1.2', { labels }), owner(':1.3')],
    };
    const indent = ' '.repeat(48);
    const first = [
      ':1.1   1000  held         3      24 MiB      0  camera-preview-0,',
      `${indent}camera-preview-1,`,
      `${indent}camera-preview-2, camera-previe…`,
    ];
    expect(view(many).slice(9, 12)).toEqual(first);
    expect(view(many)).toHaveLength(16);
    expect(view(many, { height: 15 }).slice(9)).toEqual([...first, 'and 2 more']);
  });

  it('says that there is no daemon', () => {
    expect(view({ pools: [], owners: [] })[0]).toBe('No daemon on this bus; waiting for one.');
  });

  it('warns of pools that are nearly full, and names what it colours nowhere else', () => {
    const of = (live: bigint, limit: bigint): string | undefined =>
      view(
        { pools: [poolPicture('p', { live, limit })], owners: [] },
        { colour: (colour, text) => `<${colour}>${text}` },
      )[3];
    expect(of(79n, 100n)).toMatch(/^scattered/);
    expect(of(80n, 100n)).toMatch(/^<yellow>scattered/);
    expect(of(95n, 100n)).toMatch(/^<red>scattered/);
    expect(of(0n, 0n)).toMatch(/^scattered.* 0 %/);
    expect(of(1n, 0n)).toMatch(/^<red>scattered.* 100 %/);
  });

  it('keeps to the terminal, whatever there is and however small it is', () => {
    const bytes = fc.bigInt({ min: 0n, max: 1n << 50n });
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '/', ' ', '\u{1b}', '\n'), maxLength: 40 });
    const owners = fc.array(
      fc
        .record({ unit: text, labels: fc.array(text, { maxLength: 4 }), size: bytes })
        .map((each) => owner(':1.1', each)),
      { maxLength: 40 },
    );
    const pools = fc.array(
      fc.record({ live: bytes, limit: bytes, warm: bytes }).map((each) => poolPicture('p', each)),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(
        fc.record({ owners, pools }),
        fc.integer({ min: 10, max: 200 }),
        fc.integer({ min: 2, max: 60 }),
        (picture, width, height) => {
          const lines = view({ ...picture, broker: status() }, { width, height, foot: 'q ends' });
          expect(lines.length).toBeLessThanOrEqual(height);
          for (const line of lines) {
            expect(widthOf(line)).toBeLessThanOrEqual(width);
            expect(line).not.toMatch(/\p{Cc}/u);
          }
        },
      ),
    );
  });
});
