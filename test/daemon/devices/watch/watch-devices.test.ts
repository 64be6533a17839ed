import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ANYTHING, DEVICES, type Change } from '../../../../daemon/devices/watch/change.js';
import { watchDevices, type DeviceWatch } from '../../../../daemon/devices/watch/watch-devices.js';
import { KernelError } from '../../../../daemon/kernel/errors.js';
import type { UeventListener } from '../../../../daemon/kernel/kernel.js';
import type { Uevent } from '../../../../daemon/kernel/uevent.js';
import { later } from '../../../../daemon/base/time.js';
import { until } from '../../../harness/gate.js';
import { SysfsTree } from '../../../tools/sysfs-tree.js';
import { naming } from '../../../harness/naming.js';

const CARD: Uevent = { action: 'add', subsystem: 'drm', devpath: '/devices/gpu/drm/card0', hotplug: false };

let tree: SysfsTree;
let changes: Change[];
let logged: object[];
let listener: UeventListener | undefined;
let listening: boolean;
let watch: DeviceWatch | undefined;

beforeEach(() => {
  tree = new SysfsTree().directory('/dev');
  changes = [];
  logged = [];
  listener = undefined;
  listening = false;
});
afterEach(() => {
  watch?.[Symbol.dispose]();
  watch = undefined;
  tree[Symbol.dispose]();
});

const line =
  (level: 'info' | 'warn') =>
  (details: object): void =>
    void logged.push({ level, ...details });

function start({ root = '', refusal }: { root?: string; refusal?: KernelError } = {}): void {
  watch = watchDevices({
    root,
    later,
    log: { info: line('info'), warn: line('warn') },
    changed: (change) => void changes.push(change),
    uevents: {
      listen: (to) => {
        if (refusal !== undefined) throw refusal;
        listener = to;
        listening = true;
        return { [Symbol.dispose]: () => void (listening = false) };
      },
    },
  });
}

const make = (node: string): void => {
  writeFileSync(join(tree.root, node), '');
};
/** One more change than there were, caused by this. */
async function expectChange(cause: () => void): Promise<void> {
  const before = changes.length;
  cause();
  await until(() => changes.length > before);
}

/** @param values that its reason names */
const watchesNodes = (...values: readonly string[]): object => ({
  level: 'info',
  event: 'nodes-watched',
  reason: expect.stringMatching(naming(...values)) as string,
});

describe('watching by the kernel’s events', () => {
  it('tells of devices, and of nothing else', async () => {
    start();
    expect(logged).toEqual([{ level: 'info', event: 'events-heard' }]);
    listener?.event({ ...CARD, subsystem: 'net' });
    listener?.event(CARD);
    await until(() => changes.length > 0);
    expect(changes).toEqual([DEVICES]);
  });

  it('reads everything again when events were lost, and says so', async () => {
    start();
    listener?.lost();
    await until(() => changes.length > 0);
    expect(changes).toEqual([ANYTHING]);
    expect(logged).toContainEqual({ level: 'info', event: 'events-lost' });
  });

  it('is the way of the live machine, however its root is written', () => {
    start({ root: '//' });
    expect(listening).toBe(true);
  });

  it('ends when it is told to', () => {
    start();
    watch?.[Symbol.dispose]();
    expect(listening).toBe(false);
  });

  it('gives way to /dev when the events end or cannot be had, and says why', async () => {
    start();
    listener?.ended(new KernelError('recvfrom', 5));
    await until(() => changes.length > 0);
    expect(changes).toEqual([ANYTHING]);
    expect(logged.at(-1)).toEqual(watchesNodes('recvfrom', 'EIO'));
    start({ refusal: new KernelError('socket', 97) });
    expect(logged.at(-1)).toEqual(watchesNodes('socket', 'EAFNOSUPPORT'));
  });

  it('tells of a node that could not be asked when its permissions come', async () => {
    const node = join(tree.root, 'dev/video0');
    make('/dev/video0');
    start({ root: '/' });
    watch?.attend(new Set([node]));
    await expectChange(() => {
      chmodSync(node, 0o660);
    });
  });
});

describe('watching /dev', () => {
  beforeEach(() => {
    start({ root: tree.root });
  });

  it('is the way of a tree, and says so', () => {
    expect(listening).toBe(false);
    expect(logged).toEqual([watchesNodes(tree.root)]);
  });

  it('tells of nodes that come and go', async () => {
    for (const node of ['/dev/video0', '/dev/udmabuf']) {
      await expectChange(() => {
        make(node);
      });
      await expectChange(() => {
        rmSync(join(tree.root, node));
      });
    }
  });

  it.each(['/dev/dri', '/dev/dma_heap'])(
    'tells of what comes and goes in %s, however often that goes',
    async (directory) => {
      for (let i = 0; i < 3; i++) {
        await expectChange(() => {
          mkdirSync(join(tree.root, directory));
        });
        await expectChange(() => {
          make(`${directory}/one`);
        });
        await expectChange(() => {
          rmSync(join(tree.root, directory), { recursive: true });
        });
      }
    },
  );

  it('says nothing of other nodes', async () => {
    make('/dev/tty1');
    make('/dev/video');
    await expectChange(() => {
      make('/dev/video3');
    });
    expect(changes).toHaveLength(1);
  });

  it('says aloud when /dev cannot be watched', () => {
    start({ root: join(tree.root, 'nothing') });
    expect(logged.at(-1)).toMatchObject({ level: 'warn', event: 'nothing-watched' });
    expect(() => watch?.attend(new Set(['/dev/video0']))).not.toThrow();
  });
});
