import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chase } from '../../../daemon/policy/files.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dmabroker-chase-'));
  mkdirSync(join(root, 'a/b'), { recursive: true });
  writeFileSync(join(root, 'a/b/file'), '');
});
afterEach(() => {
  rmSync(root, { recursive: true });
});
const link = (path: string, target: string) => {
  symlinkSync(target, join(root, path));
};

describe('chase', () => {
  it('leaves a path without links as it is, there or not', async () => {
    expect(await chase(root, '/a/b/file')).toBe('/a/b/file');
    expect(await chase(root, '/a/c/file')).toBe('/a/c/file');
    expect(await chase(root, '/a/./b//../b/file')).toBe('/a/b/file');
  });

  it.each([
    ['b/file', '/a/b/file'],
    ['/a/b', '/a/b'],
    ['../../../../a', '/a'],
    ['/dev/null', '/dev/null'],
    ['../dev/null', '/dev/null'],
    ['/nowhere', '/nowhere'],
  ])('follows a link to %s within the root', async (target, end) => {
    link('a/link', target);
    expect(await chase(root, '/a/link')).toBe(end);
  });

  it('follows links to directories on the way, and links to links', async () => {
    link('one', 'a');
    link('a/two', '/one/b');
    link('three', 'one/two');
    expect(await chase(root, '/three/file')).toBe('/a/b/file');
    expect(await chase(root, '/three/..')).toBe('/a');
  });

  it('does not run in circles', async () => {
    link('one', 'two');
    link('two', 'one');
    await expect(chase(root, '/one')).rejects.toMatchObject({ code: 'ELOOP' });
    link('self', 'self/self/self');
    await expect(chase(root, '/self')).rejects.toMatchObject({ code: 'ELOOP' });
  });

  it('takes a link that stands where /dev/null is named for what its name says', async () => {
    mkdirSync(join(root, 'dev'));
    link('dev/null', '/a/b/file');
    expect(await chase(root, '/dev/null')).toBe('/dev/null');
  });

  it('tells what is wrong with a directory that is none', async () => {
    await expect(chase(root, '/a/b/file/x')).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});
