import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { KernelFiles, quote } from '../../../daemon/devices/sysfs.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';

let tree: SysfsTree;
let warnings: string[];
let files: KernelFiles;
beforeEach(() => {
  tree = new SysfsTree();
  warnings = [];
  files = new KernelFiles(`${tree.root}/`, (text) => warnings.push(text));
});
afterEach(() => {
  tree[Symbol.dispose]();
});

describe('KernelFiles', () => {
  it('reads a file below the root without the white space around it', async () => {
    tree.files({ '/sys/a': ' some text\n' });
    expect(await files.text('/sys/a')).toBe('some text');
    expect(warnings).toEqual([]);
  });

  it('takes a file that is not there for a fact that is not there', async () => {
    tree.files({ '/sys/a': '' });
    expect(await files.text('/sys/none')).toBeUndefined();
    expect(await files.text('/sys/a/below')).toBeUndefined();
    expect(await files.list('/sys/none')).toEqual([]);
    expect(await files.resolve('/sys/none')).toBeUndefined();
    expect(await files.integer('/sys/none', 0, 9)).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it.each<[string, (tree: SysfsTree) => void, string]>([
    ['a directory', (tree) => tree.directory('/sys/a'), '/sys/a: is not a file'],
    [
      '1 MB',
      (tree) => tree.files({ '/sys/a': Buffer.alloc(1_000_000, 'x') }),
      '/sys/a: is longer than 65536 bytes',
    ],
    ['not UTF-8', (tree) => tree.files({ '/sys/a': Buffer.from([0xff, 0xfe]) }), '/sys/a: is not UTF-8'],
    ['a dangling link', (tree) => tree.link('/sys/a', '/sys/gone'), '/sys/a: leads nowhere'],
    [
      'a FIFO',
      (tree) => {
        tree.directory('/sys');
        execFileSync('mkfifo', [join(tree.root, '/sys/a')]);
      },
      '/sys/a: is not a file',
    ],
  ])('warns of %s', async (_, make, warning) => {
    make(tree);
    expect(await files.text('/sys/a')).toBeUndefined();
    expect(warnings).toEqual([warning]);
  });

  it.skipIf(process.getuid?.() === 0)('warns of a file that it may not read', async () => {
    tree.files({ '/sys/a': 'x' });
    chmodSync(join(tree.root, '/sys/a'), 0);
    expect(await files.text('/sys/a')).toBeUndefined();
    expect(warnings).toEqual(['/sys/a: cannot be read: EACCES']);
  });

  it('warns of a link that turns in circles, and of one that leads out of the tree', async () => {
    tree.link('/sys/a', '/sys/b').link('/sys/b', '/sys/a').link('/sys/out', '/../../..');
    expect(await files.text('/sys/a')).toBeUndefined();
    expect(await files.resolve('/sys/out')).toBeUndefined();
    expect(warnings).toEqual(['/sys/a: cannot be read: ELOOP', '/sys/out: leads out of the tree']);
  });

  it('takes whole numbers within their bounds', async () => {
    tree.files({ '/sys/n': '39\n' });
    expect(await files.integer('/sys/n', 1, 64)).toBe(39);
    expect(warnings).toEqual([]);
  });

  it.each(['banana', '', '65', '0', '-1', '3.5', '1e1', '0x10', '9'.repeat(400)])(
    'warns of %s where a number from 1 to 64 should be',
    async (text) => {
      tree.files({ '/sys/n': text });
      expect(await files.integer('/sys/n', 1, 64)).toBeUndefined();
      expect(warnings).toEqual([`/sys/n: ${quote(text)} is not a whole number from 1 to 64`]);
    },
  );

  it('quotes no more of a file than fits on a line', () => {
    expect(quote('a\nb')).toBe('"a\\nb"');
    expect(quote('x'.repeat(100))).toHaveLength(43);
  });

  it('lists names in the order of their numbers', async () => {
    tree.files({ '/dev/video10': '', '/dev/video2': '', '/dev/card0': '' });
    expect(await files.list('/dev')).toEqual(['card0', 'video2', 'video10']);
  });

  it('follows links within the tree', async () => {
    tree.directory('/sys/devices/a').link('/sys/class/a', '/sys/devices/a');
    expect(await files.resolve('/sys/class/a')).toBe('/sys/devices/a');
    expect(await files.linkName('/sys/class/a')).toBe('a');
  });
});
