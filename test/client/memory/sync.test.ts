import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { DMA_BUF_IOCTL_SYNC, withSync, type SyncCall } from '../../../client/memory/sync.js';
import { ensure } from '../../tools/ensure.mjs';
import { memfd } from './memfd.js';

const { EINTR, EAGAIN, ENOTTY, EIO } = constants.errno;
const FD = 7;

/** Words of the kernel's header, which the compiler knows better than we do. */
const HEADER = [
  'DMA_BUF_IOCTL_SYNC',
  'DMA_BUF_SYNC_READ',
  'DMA_BUF_SYNC_WRITE',
  'DMA_BUF_SYNC_START',
  'DMA_BUF_SYNC_END',
];

function fromHeader(): Readonly<Record<string, bigint>> {
  const directory = mkdtempSync(join(tmpdir(), 'dmabroker-sync-'));
  try {
    const program = join(directory, 'words');
    const lines = HEADER.map((word) => `printf("%llu\\n", (unsigned long long)${word});`);
    const source = `#include <stdio.h>\n#include <linux/dma-buf.h>\nint main(void) { ${lines.join(' ')} return 0; }`;
    execFileSync('gcc', ['-x', 'c', '-o', program, '-'], { input: source });
    const values = execFileSync(program, { encoding: 'utf8' }).trim().split('\n').map(BigInt);
    return Object.fromEntries(HEADER.map((word, index) => [word, values[index] ?? -1n]));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A kernel that fails with these errnos in turn, and tells what it was asked. */
function kernel(...failures: readonly number[]): { call: SyncCall; asked: (bigint | string)[] } {
  const asked: (bigint | string)[] = [];
  const left = [...failures];
  return {
    asked,
    call: (fd, flags) => {
      expect(fd).toBe(FD);
      asked.push(flags);
      return Promise.resolve(left.shift() ?? 0);
    },
  };
}

const hasHeader = ensure(['gcc', 'linux-libc-dev'], { optional: true });

describe.skipIf(!hasHeader)('withSync', () => {
  const words = hasHeader ? fromHeader() : {};
  const flags = (...names: readonly string[]): bigint =>
    names.reduce((all, name) => all | (words[`DMA_BUF_SYNC_${name}`] ?? -1n), 0n);

  it('calls what the kernel calls DMA_BUF_IOCTL_SYNC', () => {
    expect(BigInt(DMA_BUF_IOCTL_SYNC)).toBe(words['DMA_BUF_IOCTL_SYNC']);
  });

  it.each([
    [{ read: true }, ['READ']],
    [{ write: true }, ['WRITE']],
    [{ read: true, write: true }, ['READ', 'WRITE']],
  ])('brackets %j', async (cpu, names) => {
    const { call, asked } = kernel();
    const result = await withSync(FD, cpu, () => Promise.resolve(asked.push('use')), call);
    expect(result).toBe(2);
    expect(asked).toEqual([flags('START', ...names), 'use', flags('END', ...names)]);
  });

  it('asks again when it was interrupted', async () => {
    const { call, asked } = kernel(EINTR, EAGAIN, 0, EAGAIN, EINTR);
    await withSync(FD, { read: true }, () => Promise.resolve(asked.push('use')), call);
    const [start, end] = [flags('START', 'READ'), flags('END', 'READ')];
    expect(asked).toEqual([start, start, start, 'use', end, end, end]);
  });

  it('ends what it started though the use fails', async () => {
    const { call, asked } = kernel();
    await expect(withSync(FD, {}, () => Promise.reject(new Error('mine')), call)).rejects.toThrow('mine');
    expect(asked).toEqual([flags('START'), flags('END')]);
  });

  it('neither starts nor ends where no device shares the memory', async () => {
    const { call, asked } = kernel(ENOTTY);
    await withSync(FD, { read: true }, () => Promise.resolve(asked.push('use')), call);
    expect(asked).toEqual([flags('START', 'READ'), 'use']);
    using plain = memfd('plain', 4096);
    expect(await withSync(plain.number, { read: true }, () => Promise.resolve('used'))).toBe('used');
  });

  it('uses nothing when it cannot start', async () => {
    const { call, asked } = kernel(EIO);
    const use = withSync(FD, { read: true }, () => Promise.resolve(asked.push('use')), call);
    await expect(use).rejects.toMatchObject({ code: 'NotMappable' });
    expect(asked).toEqual([flags('START', 'READ')]);
  });
});
