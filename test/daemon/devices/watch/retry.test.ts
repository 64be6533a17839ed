import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { NodeRetry } from '../../../../daemon/devices/watch/retry.js';
import { until } from '../../../harness/gate.js';
import { expectNoNewFds, openFds } from '../../../harness/leaks.js';
import { SysfsTree } from '../../../tools/sysfs-tree.js';
import { ManualTimers } from '../../manual-timers.js';

const CAMERA = '/dev/video0';
const CARD = '/dev/dri/card0';

let tree: SysfsTree;
let timers: ManualTimers;
let looks: number;
let attention: NodeRetry;

beforeEach(() => {
  tree = new SysfsTree().files({ [CAMERA]: '', [CARD]: '', '/dev/null': '' });
  timers = new ManualTimers();
  looks = 0;
  attention = new NodeRetry(tree.root, timers.later, () => (looks += 1));
});
afterEach(() => {
  attention[Symbol.dispose]();
  tree[Symbol.dispose]();
});

const host = (node: string): string => join(tree.root, node);
const of = (...nodes: readonly string[]): ReadonlySet<string> => new Set(nodes);

/** As its user does: looks, and attends to what is still not settled. */
function lookAgain(...nodes: readonly string[]): void {
  attention.to(of(...nodes));
}

describe('Attention', () => {
  it('looks again a few times, less and less often, and then no more', () => {
    lookAgain(CAMERA);
    for (let round = 0; round < 10; round++) {
      timers.pass(2000);
      lookAgain(CAMERA);
    }
    expect(looks).toBe(4);
    expect(timers.pending).toBe(0);
  });

  it('begins anew for a node that is new', () => {
    lookAgain(CAMERA);
    for (let round = 0; round < 10; round++) {
      timers.pass(2000);
      lookAgain(CAMERA);
    }
    lookAgain(CAMERA, CARD);
    timers.pass(20);
    expect(looks).toBe(5);
  });

  it('looks when the permissions of such a node change, however late', async () => {
    lookAgain(CAMERA, CARD);
    chmodSync(host(CAMERA), 0o660);
    await until(() => looks === 1);
    chmodSync(host(CARD), 0o660);
    await until(() => looks === 2);
  });

  it('looks when such a node is made', async () => {
    rmSync(host(CAMERA));
    lookAgain(CAMERA);
    writeFileSync(host(CAMERA), '');
    await until(() => looks > 0);
  });

  it('does not look for the sake of another node', async () => {
    lookAgain(CAMERA);
    chmodSync(host('/dev/null'), 0o600);
    chmodSync(host(CAMERA), 0o600);
    await until(() => looks > 0);
    expect(looks).toBe(1);
  });

  it('looks into a directory that was made anew', async () => {
    lookAgain(CARD);
    lookAgain();
    rmSync(host('/dev/dri'), { recursive: true });
    lookAgain(CARD);
    mkdirSync(host('/dev/dri'));
    writeFileSync(host('/dev/dri/card1'), '');
    lookAgain(CARD, '/dev/dri/card1');
    const before = looks;
    chmodSync(host('/dev/dri/card1'), 0o600);
    await until(() => looks > before);
  });

  it('holds nothing open while there is nothing to look after', async () => {
    // The event loop keeps one inotify descriptor from the first watch on.
    lookAgain(CAMERA);
    lookAgain();
    const before = openFds();
    lookAgain(CAMERA, CARD);
    lookAgain();
    await expectNoNewFds(before);
    expect(timers.pending).toBe(0);
  });
});
