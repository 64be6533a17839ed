import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { KernelFiles, quote, type FileProblem } from '../../../daemon/devices/sysfs.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';
import { naming } from '../../harness/naming.js';

let tree: SysfsTree;
let warnings: [path: string | undefined, problem: FileProblem][];
let texts: string[];
let files: KernelFiles;
beforeEach(() => {
  tree = new SysfsTree();
  warnings = [];
  texts = [];
  files = new KernelFiles(`${tree.root}/`, (text, problem) => {
    warnings.push([text.split(': ')[0], problem]);
    texts.push(text);
  });
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

  it.each<[string, (tree: SysfsTree) => void, FileProblem]>([
    ['a directory', (tree) => tree.directory('/sys/a'), 'not-a-file'],
    ['1 MB', (tree) => tree.files({ '/sys/a': Buffer.alloc(1_000_000, 'x') }), 'too-long'],
    ['not UTF-8', (tree) => tree.files({ '/sys/a': Buffer.from([0xff, 0xfe]) }), 'not-text'],
    ['a dangling link', (tree) => tree.link('/sys/a', '/sys/gone'), 'leads-nowhere'],
    [
      'a FIFO',
      (tree) => {
        tree.directory('/sys');
        execFileSync('mkfifo', [join(tree.root, '/sys/a')]);
      },
      'not-a-file',
    ],
  ])('warns of %s', async (_, make, problem) => {
    make(tree);
    expect(await files.text('/sys/a')).toBeUndefined();
    expect(warnings).toEqual([['/sys/a', problem]]);
  });

  it.skipIf(process.getuid?.() === 0)('warns of a file that it may not read', async () => {
    tree.files({ '/sys/a': 'x' });
    chmodSync(join(tree.root, '/sys/a'), 0);
    expect(await files.text('/sys/a')).toBeUndefined();
    expect(warnings).toEqual([['/sys/a', 'unreadable']]);
    expect(texts[0]).toMatch(naming('EACCES'));
  });

  it('warns of a link that turns in circles, and of one that leads out of the tree', async () => {
    tree.link('/sys/a', '/sys/b').link('/sys/b', '/sys/a').link('/sys/out', '/../../..');
    expect(await files.text('/sys/a')).toBeUndefined();
    expect(await files.resolve('/sys/out')).toBeUndefined();
    expect(warnings).toEqual([
      ['/sys/a', 'unreadable'],
      ['/sys/out', 'out-of-tree'],
    ]);
    expect(texts[0]).toMatch(naming('ELOOP'));
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
      expect(warnings).toEqual([['/sys/n', 'bad-value']]);
      expect(texts[0]).toMatch(naming(quote(text), 1, 64));
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
