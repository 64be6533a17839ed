import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { COMMAND_LINE_FILES, readCommandLinePlace } from '../../../daemon/devices/machine-facts.js';
import { KernelFiles } from '../../../daemon/devices/sysfs.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';

let tree: SysfsTree;
beforeEach(() => {
  tree = new SysfsTree();
});
afterEach(() => {
  tree[Symbol.dispose]();
});
const read = () => readCommandLinePlace(new KernelFiles(tree.root, () => undefined));

describe('readCommandLinePlace', () => {
  it.each(COMMAND_LINE_FILES)('finds %s', async (path) => {
    tree.files({ [path]: '' });
    expect(await read()).toBe(path);
  });

  it('takes the file that another is written from', async () => {
    tree.files({ '/boot/extlinux/extlinux.conf': '', '/etc/default/u-boot': '' });
    expect(await read()).toBe('/etc/default/u-boot');
  });

  it('knows none where there is none', async () => {
    expect(await read()).toBeUndefined();
  });
});
