import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { NodeCache } from '../../../daemon/devices/node-cache.js';
import { KernelFiles } from '../../../daemon/devices/sysfs.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';

const NODE = '/dev/video0';

let tree: SysfsTree;
let warnings: string[];
let files: KernelFiles;
let nodeCache: NodeCache<string>;
let asked: number;

beforeEach(() => {
  tree = new SysfsTree().files({ [NODE]: '' });
  warnings = [];
  files = new KernelFiles(tree.root, (text) => warnings.push(text));
  nodeCache = new NodeCache();
  asked = 0;
});
afterEach(() => {
  tree[Symbol.dispose]();
});

/** One reading that looks the node up. */
async function read({ settled = true, warning = '' } = {}) {
  nodeCache.turn();
  warnings.length = 0;
  return nodeCache.look(files, NODE, (own) => {
    asked += 1;
    if (warning !== '') own.warn(NODE, warning);
    return Promise.resolve({ facts: `answer ${asked}`, settled });
  });
}

const identity = (): string | undefined => new Map(nodeCache.identities).get(NODE);

const remove = (): void => {
  rmSync(join(tree.root, NODE));
};

describe('Notebook', () => {
  it('asks a node once, for as long as the same file stands there', async () => {
    expect(await read()).toEqual({ facts: 'answer 1', isNew: true });
    const before = identity();
    expect(before).toBeDefined();
    expect(await read()).toEqual({ facts: 'answer 1', isNew: false });
    expect(await read()).toEqual({ facts: 'answer 1', isNew: false });
    expect([identity(), nodeCache.unsettled]).toEqual([before, []]);
  });

  it('warns every time of what was wrong when it asked', async () => {
    for (let i = 0; i < 3; i++) {
      await read({ warning: 'is odd' });
      expect(warnings).toEqual([`${NODE}: is odd`]);
    }
    expect(asked).toBe(1);
  });

  it('asks a file that took the place of another, and tells the two apart', async () => {
    await read();
    const before = identity();
    remove();
    tree.files({ [NODE]: '' });
    expect(await read()).toEqual({ facts: 'answer 2', isNew: true });
    expect(identity()).not.toBe(before);
    await read();
    expect(asked).toBe(2);
  });

  it('asks again for as long as a node could not be asked', async () => {
    await read({ settled: false, warning: 'is closed' });
    expect(nodeCache.unsettled).toEqual([NODE]);
    expect(await read()).toEqual({ facts: 'answer 2', isNew: true });
    expect([nodeCache.unsettled, warnings]).toEqual([[], []]);
    await read();
    expect(asked).toBe(2);
  });

  it('leaves out a node that is gone, and asks it when it is still named at the next reading', async () => {
    await read();
    remove();
    expect(await read()).toBeUndefined();
    expect(nodeCache.unsettled).toEqual([NODE]);
    expect(await read({ settled: false })).toEqual({ facts: 'answer 2', isNew: true });
  });

  it('asks a node that was never there, every time', async () => {
    remove();
    await read({ settled: false });
    expect(await read({ settled: false })).toEqual({ facts: 'answer 2', isNew: true });
    expect([nodeCache.identities, nodeCache.unsettled]).toEqual([[], [NODE]]);
  });

  it('forgets what a reading did not look up', async () => {
    await read();
    nodeCache.turn();
    expect(await read()).toEqual({ facts: 'answer 2', isNew: true });
  });

  it('asks everything anew when it is told to', async () => {
    await read();
    nodeCache.forget();
    expect(await read()).toEqual({ facts: 'answer 2', isNew: true });
    expect(await read()).toEqual({ facts: 'answer 2', isNew: false });
  });

  it('keeps what it is told to note instead', async () => {
    await read();
    nodeCache.amend(NODE, 'amended');
    expect(await read()).toEqual({ facts: 'amended', isNew: false });
    nodeCache.amend('/dev/other', 'never looked up');
    expect(nodeCache.identities).toHaveLength(1);
  });
});
