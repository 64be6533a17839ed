import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { card } from '../rig/cards.js';
import { nothingLives, startDaemon, until, type RunningDaemon } from '../rig/daemon.js';
import { localPolicy } from '../rig/local-policy.js';
import { asNobody, NOBODY } from '../rig/nobody.js';
import type { Step, StepEnd, Steps } from '../rig/quota-program.js';
import { naming } from '../../harness/naming.js';

const CLI = fileURLToPath(new URL('../../../client/cli/main.js', import.meta.url));
const HOLDER = fileURLToPath(new URL('../rig/holder-program.js', import.meta.url));
const IMAGE = { width: 64, height: 64 } as const;
const BYTES = IMAGE.width * IMAGE.height * 4;
/** Room for one image. */
const POLICY = `[Quota uid:${NOBODY}]\nBytes=${BYTES}\n`;

let daemon: RunningDaemon;
const things: Disposable[] = [];

before(async () => {
  things.push(localPolicy(POLICY));
  daemon = await startDaemon();
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  for (const thing of things) thing[Symbol.dispose]();
});

async function steps(...wanted: readonly Step[]): Promise<readonly StepEnd[]> {
  const args: Steps = { bus: daemon.bus.address, steps: wanted };
  return (await asNobody('quota-program', args)) as readonly StepEnd[];
}

const TAKE: Step = { take: BYTES };

function assertOverQuota(end: StepEnd | undefined): void {
  assert(typeof end === 'object', 'it was not refused');
  assert.equal(end.code, 'QuotaExceeded');
  assert.match(end.text, naming('Bytes', '16 KiB'));
}

describe('a user at the limit', () => {
  it('is refused, and served at once after a release', async () => {
    const [first, second, released, third] = await steps(TAKE, TAKE, 'release', TAKE);
    assertOverQuota(second);
    assert.deepEqual([first, released, third], ['done', 'done', 'done']);
    await nothingLives(daemon.broker);
  });
});

interface Holder extends Disposable {
  /** Has it let go of the buffer, and live on. */
  letGo(): Promise<void>;
}

/** Has `nobody` take an image for a card and hand it to another process, kills who took it, and leaves the other. */
async function passOn(way: string, node: string): Promise<Holder> {
  const request = ['--device', `${node}:scanout`, '--device', 'cpu:read', '--format', 'XR24'];
  const size = ['--width', String(IMAGE.width), '--height', String(IMAGE.height)];
  const options = ['--bus', daemon.bus.address, 'allocate', ...request, ...size];
  const owner = spawn(process.execPath, [CLI, ...options, '--', process.execPath, HOLDER, way, node], {
    ...{ uid: NOBODY, gid: NOBODY },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(owner, 'exit');
  // What one has to say, both say on the same pipe.
  const lines = createInterface(owner.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  const said = await next();
  owner.kill('SIGKILL');
  await ended;
  const [, pid] = /^held (\d+)$/.exec(said) ?? [];
  assert(pid !== undefined, said);
  const holder = Number(pid);
  return {
    letGo: async () => {
      process.kill(holder, 'SIGUSR1');
      assert.equal(await next(), 'gone');
    },
    [Symbol.dispose]: () => process.kill(holder),
  };
}

describe('a buffer that its owner handed to another process before it was killed', () => {
  const WAYS = { open: 'closes it', mapped: 'unmaps it', framebuffer: 'removes its framebuffer' } as const;
  for (const [way, lettingGo] of Object.entries(WAYS))
    it(`counts until that one ${lettingGo}`, async () => {
      using holder = await passOn(way, card('vkms'));
      const orphan = await until('the buffer is an orphan', async () =>
        (await daemon.broker.allocations()).find(({ state }) => state === 'orphaned'),
      );
      assert.equal(orphan.user, NOBODY);
      const [refused] = await steps(TAKE);
      assertOverQuota(refused);
      await holder.letGo();
      assert.deepEqual(await steps(TAKE), ['done']);
      await nothingLives(daemon.broker);
    });
});
