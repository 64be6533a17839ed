import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { before, describe, it } from 'node:test';

import { camera, card } from '../rig/cards.js';
import { heapNodes } from '../rig/heap-nodes.js';
import { tryInside, tryOutside } from '../rig/jail.js';
import { person } from '../rig/people.js';
import { run } from '../rig/run.js';
import { runSeat } from '../rig/seat.js';
import { FRAME_SIZE } from '../rig/show-frames.js';
import { DAEMON } from '../rig/unit.js';

const UNIT = '/usr/lib/systemd/system/dmabrokerd.service';
const STATE = '/var/lib/dmabroker';
/** What stands on the console (vcs(4)), by a name of our own that everybody may open. */
const DEVICE = { node: '/dev/jail-vcs', numbers: ['c', '7', '0'] } as const;
const DIRECTORIES = ['/etc/jail', '/home/jail', '/run/jail', '/usr/jail', '/var/lib/jail'];
const SYSTEM_BUS = 'unix:path=/run/dbus/system_bus_socket';
const FRAMES = 10;

/** Lets everybody use nodes, as a seat lets whoever sits there. */
function opened(nodes: readonly string[]): Disposable {
  for (const node of nodes) chmodSync(node, 0o666);
  return {
    [Symbol.dispose]: () => {
      for (const node of nodes) chmodSync(node, 0o660);
    },
  };
}

describe('the sandbox of the unit', () => {
  before(() => DAEMON.start());

  it('lets a camera and a display share buffers, as an ordinary user', async () => {
    const nodes = { camera: camera('vivid'), card: card('vkms') };
    using _seat = opened(Object.values(nodes));
    const closed = heapNodes();
    assert(closed.length > 1);
    const { frames, distinct, refusals } = await runSeat({
      bus: SYSTEM_BUS,
      ...nodes,
      frames: FRAMES,
      size: FRAME_SIZE,
      closed,
    });
    assert.deepEqual(
      refusals,
      closed.map((node) => ({ node, code: 'EACCES' })),
    );
    assert.equal(frames, FRAMES);
    assert(distinct > 1, 'all frames are the same');
  });

  it('is that of a user of its own', async () => {
    assert.equal(await DAEMON.property('User'), 'dmabroker');
    const pid = await DAEMON.mainPid();
    const { out } = await run('ps', ['-o', 'user=', '-p', String(pid)]);
    assert.equal(out.trim(), 'dmabroker');
  });

  it('refuses everything else', async (test) => {
    const user = person('dmabroker');
    await run('mknod', [DEVICE.node, ...DEVICE.numbers]);
    chmodSync(DEVICE.node, 0o666);
    for (const directory of DIRECTORIES) {
      mkdirSync(directory);
      chmodSync(directory, 0o777);
    }
    const sibling = spawn('sleep', ['600'], { uid: user.uid, gid: user.gid, stdio: 'ignore' });
    try {
      const options = {
        device: DEVICE.node,
        directories: DIRECTORIES,
        sibling: sibling.pid ?? 0,
        own: STATE,
      };
      const outside = await tryOutside(user, options);
      const inside = await tryInside(UNIT, options);
      for (const [what, became] of Object.entries(inside)) test.diagnostic(`${what}: ${became}`);
      // A refusal inside shows something where nothing else refuses it; these the kernel refuses everybody.
      const refusedAnyway = ['become root', 'a packet socket'];
      for (const [what, became] of Object.entries(outside))
        assert.equal(became, refusedAnyway.includes(what) ? 'EPERM' : 'done', `${what}, outside`);
      const done = Object.keys(inside).filter((what) => inside[what] === 'done');
      assert.deepEqual(done, ['write to its own directory']);
      assert.deepEqual(new Set(Object.keys(inside)), new Set(Object.keys(outside)));
    } finally {
      sibling.kill('SIGKILL');
      rmSync(DEVICE.node);
      for (const directory of DIRECTORIES) rmSync(directory, { recursive: true });
    }
  });
});
