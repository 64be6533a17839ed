import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { connect, type Allocation, type Broker } from '../../../client/index.js';
import { until } from '../rig/daemon.js';
import { run } from '../rig/run.js';
import { DAEMON } from '../rig/unit.js';
import { naming } from '../../harness/naming.js';

/** Directories with a package each (images.mjs). */
const [THIS, NEXT] = ['/root/package', '/root/next'];
/** Every file that there was before the package was installed (guest/etc/systemd/system/dmabroker-tests.service). */
const FILES_BEFORE = '/run/files-before';
const PATIENCE = 120_000;
const SIZE = 65_536;
const CONTENTS = 0x5a;
/** Where dpkg, the journal and the tests write. */
const WRITTEN_BY_OTHERS = [
  ...['/var/lib/dpkg/', '/var/lib/apt/', '/var/cache/', '/var/log/', '/var/lib/systemd/', '/root/', '/out'],
  ...['/tmp', '/var/tmp', '/home/', '/etc/passwd', '/etc/group', '/etc/shadow', '/etc/gshadow', '/etc/.pwd'],
  ...['/dev/', '/proc/', '/sys/'],
];

/** @returns what it printed */
async function apt(...args: readonly string[]): Promise<string> {
  const { code, out, complaints } = await run('apt-get', ['--yes', ...args]);
  assert.equal(code, 0, out + complaints);
  return out + complaints;
}

const packageIn = (directory: string): string => `${directory}/${readdirSync(directory)[0] ?? ''}`;

async function installedVersion(): Promise<string> {
  return (await run('dpkg-query', ['--show', '--showformat=${Version}', 'dmabroker'])).out;
}

const filesNow = async (): Promise<readonly string[]> =>
  (await run('find', ['/', '-xdev', '-path', '/run', '-prune', '-o', '-print'])).out.split('\n');

describe('the package, while a client has buffers', () => {
  let broker: Broker;
  let allocation: Allocation;
  const lost: unknown[] = [];

  before(async () => {
    await DAEMON.start();
    broker = await connect({ timeout: PATIENCE });
    broker.on('lost', (gone) => lost.push(gone.path));
    allocation = await broker.allocate([{ device: 'cpu', uses: ['read', 'write'] }], {
      size: SIZE,
      count: 3,
    });
    for (const buffer of allocation.buffers)
      await buffer.map({ write: true }, (bytes) => bytes.fill(CONTENTS));
  });
  after(() => broker.close());

  const contents = async (): Promise<readonly boolean[]> => {
    const each = allocation.buffers.map((buffer) =>
      buffer.map({ read: true }, (bytes) => bytes.every((byte) => byte === CONTENTS)),
    );
    return Promise.all(each);
  };

  /** Everything that the client can see is as it was. */
  async function expectNothingLost(): Promise<void> {
    const kept = (await broker.allocations()).find(({ path }) => path === allocation.path);
    assert.equal(kept?.state, 'held');
    assert.deepEqual(lost, []);
    assert.deepEqual(await contents(), [true, true, true]);
    const { liveBuffers, liveBytes } = await broker.status();
    assert.deepEqual([liveBuffers, liveBytes], [3n, 3n * BigInt(SIZE)]);
    await using another = await broker.allocate([{ device: 'cpu' }], { size: SIZE });
    assert.equal((await broker.status()).liveBuffers, 4n);
    await another.release();
    await until('the other is gone', async () =>
      (await broker.status()).liveBuffers === 3n ? true : undefined,
    );
  }

  it('is upgraded, and the client notices nothing', async () => {
    const [version, pid] = [await installedVersion(), await DAEMON.mainPid()];
    await apt('install', packageIn(NEXT));
    assert.notEqual(await installedVersion(), version);
    await DAEMON.becomes('ActiveState', 'active');
    assert.notEqual(await DAEMON.mainPid(), pid);
    await expectNothingLost();
  });

  it('goes back to the version before, says so, and loses nothing', async () => {
    const later = await installedVersion();
    const said = await apt('install', '--allow-downgrades', packageIn(THIS));
    assert.match(said, naming('dmabroker', later, await installedVersion()));
    await DAEMON.becomes('ActiveState', 'active');
    await expectNothingLost();
  });

  it('is removed and purged: nothing of it is left, and the client still has its memory', async () => {
    await apt('remove', 'dmabroker');
    assert.equal(await DAEMON.property('ActiveState'), 'inactive');
    assert(existsSync('/var/lib/dmabroker'));
    await apt('purge', 'dmabroker');
    assert.deepEqual(await contents(), [true, true, true]);
    const before = new Set(readFileSync(FILES_BEFORE, 'utf8').split('\n'));
    const left = (await filesNow()).filter(
      (file) => !before.has(file) && !WRITTEN_BY_OTHERS.some((place) => file.startsWith(place)),
    );
    assert.deepEqual(left, []);
    assert.equal((await run('getent', ['passwd', 'dmabroker'])).code, 2);
    assert.equal((await run('getent', ['group', 'dmabroker'])).code, 2);
    assert.equal(await DAEMON.property('LoadState'), 'not-found');
    assert.equal(await DAEMON.property('NFileDescriptorStore'), '0');
  });
});
