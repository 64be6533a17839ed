import {
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { KernelError } from '../../../daemon/kernel/errors.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { openFds } from '../../harness/leaks.js';

const PAGE = 4096n;

async function failure(promise: Promise<unknown>): Promise<KernelError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof KernelError) return error;
  throw new Error(`expected a KernelError, got ${String(error)}`);
}

describe('memoryCalls', () => {
  let before: ReadonlyMap<number, string>;
  beforeEach(() => {
    before = openFds();
  });
  afterEach(() => {
    expect([...openFds()]).toEqual([...before]);
  });

  it('makes a memfd of zeroes, with its pages present', async () => {
    const size = 64n * PAGE;
    using memfd = await memoryCalls.createMemfd('test', size);
    const bytes = Buffer.alloc(Number(size), 1);
    expect(readSync(memfd.number, bytes, 0, bytes.length, 0)).toBe(bytes.length);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    expect(fstatSync(memfd.number, { bigint: true }).blocks * 512n).toBe(size);
  });

  it('seals its size, and leaves its bytes writable', async () => {
    using memfd = await memoryCalls.createMemfd('test', PAGE);
    expect(() => {
      ftruncateSync(memfd.number, 0);
    }).toThrow(/EPERM/);
    expect(() => {
      ftruncateSync(memfd.number, Number(2n * PAGE));
    }).toThrow(/EPERM/);
    expect(writeSync(memfd.number, 'x', 0)).toBe(1);
  });

  it('closes it on exec', async () => {
    using memfd = await memoryCalls.createMemfd('test', PAGE);
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${memfd.number}`, 'latin1'))?.[1];
    expect(parseInt(flags ?? '0', 8) & 0o2000000).not.toBe(0);
  });

  it('leaves nothing behind when a step fails', async () => {
    expect(await failure(memoryCalls.createMemfd('test', -1n))).toMatchObject({
      code: 'EINVAL',
      call: 'ftruncate',
    });
    expect(await failure(memoryCalls.createMemfd('test', 0n))).toMatchObject({
      code: 'EINVAL',
      call: 'fallocate',
    });
  });

  it('refuses more than there is, instead of taking it from other processes', async () => {
    // No size between: without its check it would bring down the machine that shows so. Cut to 64 bits, this is a page.
    expect(await failure(memoryCalls.createMemfd('test', 2n ** 64n + PAGE))).toMatchObject({
      code: 'ENOMEM',
      call: 'fallocate',
    });
  });

  it('lets the event loop turn while it clears memory', async () => {
    const progress = { done: false };
    const making = memoryCalls.createMemfd('test', 128n * 1024n * 1024n).finally(() => {
      progress.done = true;
    });
    let turns = 0;
    while (!progress.done) {
      turns += 1;
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    using _memfd = await making;
    // One turn would be seen if it were cleared on the loop; a busy machine gives few.
    expect(turns).toBeGreaterThan(3);
  });

  it('says by errno why a node cannot be opened', () => {
    const directory = mkdtempSync(join(tmpdir(), 'node-'));
    try {
      expect(() => memoryCalls.openNode(join(directory, 'none'))).toThrow(
        expect.objectContaining({ name: 'KernelError', code: 'ENOENT', call: 'open' }) as Error,
      );
      writeFileSync(join(directory, 'file'), '');
      expect(() => memoryCalls.openNode(join(directory, 'file'))).toThrow(
        expect.objectContaining({ code: 'ENODEV', call: 'open' }) as Error,
      );
      expect(() => memoryCalls.openNode(directory)).toThrow(
        expect.objectContaining({ code: 'EISDIR' }) as Error,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('refuses to take what is no heap for one', async () => {
    using memfd = await memoryCalls.createMemfd('test', PAGE);
    expect(await failure(memoryCalls.allocateDmaHeap(memfd.number, PAGE))).toMatchObject({
      code: 'ENOTTY',
      call: 'DMA_HEAP_IOCTL_ALLOC',
    });
    expect(await failure(memoryCalls.allocateDmaHeap(memfd.number, 2n ** 64n))).toMatchObject({
      code: 'ENOMEM',
    });
    expect(await failure(memoryCalls.createUdmabuf(memfd.number, memfd.number, PAGE))).toMatchObject({
      code: 'ENOTTY',
      call: 'UDMABUF_CREATE',
    });
  });
});
