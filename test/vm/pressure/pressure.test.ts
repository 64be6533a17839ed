import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, constants, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

import { watchPriority } from '../../../daemon/kernel/memory-pressure.js';
import { OwnedFd } from '../../../dbus/owned-fd.js';
import { endChild } from '../../harness/private-bus.js';
import { startDaemon, until, type RunningDaemon } from '../rig/daemon.js';
import { localPolicy } from '../rig/local-policy.js';
import { meminfo } from '../rig/meminfo.js';
import type { Person } from '../rig/run.js';

const EATER = fileURLToPath(new URL('../rig/eater-program.js', import.meta.url));
const SWAP = '/dev/vda';
const HEAP = '/dev/dma_heap/system';
const MIB = 2n ** 20n;
/** A picture of 3840 × 2160 at four bytes a pixel, and so many of them lie ready. */
const FRAME = 33_177_600n;
const FRAMES = 8;
const POLICY = `[Pool scattered]\nLimit=512M\nWarm=${FRAME * BigInt(FRAMES)}\nIdle=1h\n`;
/** Bytes that are eaten beyond all that there is, so that what lies ready does not help for long. */
const TOO_MUCH = 128n * MIB;
/** The user that the service may have instead of root. */
const SERVICE: Person = { uid: 990, gid: 990 };

const things: Disposable[] = [];

before(() => {
  // Without it a machine that is short ends in the OOM killer before anybody could act.
  for (const program of ['mkswap', 'swapon']) execFileSync(program, [SWAP], { stdio: 'ignore' });
  things.push(localPolicy(POLICY));
});
after(() => {
  execFileSync('swapoff', [SWAP]);
  for (const thing of things) thing[Symbol.dispose]();
});

/** The kernel's own word, independently of the daemon's: some task waited for a tenth of a second within one. */
function onPressure(happened: () => void): Disposable {
  const file = new OwnedFd(openSync('/proc/pressure/memory', constants.O_RDWR | constants.O_NONBLOCK));
  writeSync(file.number, 'some 100000 1000000\0');
  return watchPriority(file, happened);
}

/** dma-bufs that a process has. */
function dmaBufs(pid: number): number {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).filter((fd) => {
    try {
      return readlinkSync(`${directory}/${fd}`).startsWith('/dmabuf:');
    } catch {
      return false; // Closed meanwhile.
    }
  }).length;
}

const killed = (): number => Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1]);

async function useFrames({ broker }: RunningDaemon, count: number): Promise<void> {
  const cpu = [{ device: 'cpu', uses: ['read', 'write'] }] as const;
  const allocation = await broker.allocate(cpu, { size: Number(FRAME), count });
  await allocation.release();
}

/** Bytes that lie ready. */
const ready = async ({ broker }: RunningDaemon): Promise<bigint> =>
  (await broker.pools()).reduce((sum, pool) => sum + pool.warm, 0n);

/** Has all frames lie ready. */
async function fill(daemon: RunningDaemon): Promise<void> {
  const { pid } = daemon;
  await useFrames(daemon, FRAMES);
  await until('frames lie ready', async () =>
    (await ready(daemon)) === FRAME * BigInt(FRAMES) ? true : undefined,
  );
  assert(dmaBufs(pid) >= FRAMES);
}

/** Milliseconds from the kernel's word until the first buffer, and until all, were given back. */
interface GivenBack {
  readonly first: number;
  readonly all: number;
}

/** Eats more than there is. */
async function starve({ pid }: RunningDaemon): Promise<GivenBack> {
  const most = dmaBufs(pid);
  let told = NaN;
  using _watch = onPressure(() => {
    if (Number.isNaN(told)) told = performance.now();
  });
  const bytes = meminfo('MemAvailable') + FRAME * BigInt(FRAMES) + TOO_MUCH;
  const eater: ChildProcess = spawn(process.execPath, [EATER, String(bytes)], { stdio: 'ignore' });
  try {
    await until('the kernel tells of pressure', () => (Number.isNaN(told) ? undefined : true));
    const fewerThan = (count: number): Promise<number> =>
      until(`fewer than ${count} buffers`, () =>
        dmaBufs(pid) < count ? performance.now() - told : undefined,
      );
    return { first: await fewerThan(most), all: await fewerThan(1) };
  } finally {
    await endChild(eater, 'SIGKILL');
  }
}

async function give(test: TestContext, most: number, person?: Person): Promise<void> {
  await using daemon = await startDaemon([], person && { person });
  await fill(daemon);
  const killedBefore = killed();
  const took = await starve(daemon);
  const times = `the first after ${took.first.toFixed(0)} ms, all after ${took.all.toFixed(0)} ms`;
  test.diagnostic(`of the kernel's word, ${FRAMES} frames were given back: ${times}`);
  assert.equal(killed() - killedBefore, 0, 'the kernel killed a process');
  assert(took.first < most, times);
  // The second step comes 300 ms later; under emulation, on a host that does something else too, both take their time.
  assert(took.all < SLACK * most, times);
  await until('what is asked for lies ready again', async () => {
    await useFrames(daemon, 1);
    return (await ready(daemon)) > 0n ? true : undefined;
  });
}

/** How much slower the whole may be here than where the kernel is not emulated; on a quiet host it is not slower at all. */
const SLACK = 3;

describe('what lies ready goes back when memory is short', () => {
  it('in a second, where the service is told at once', (test) => give(test, 1000));

  // The kernel tells an ordinary user by averages of two seconds (psi.c); a busy host can miss the first of them.
  it('in two periods of two seconds, where an ordinary user is told', async (test) => {
    chownSync(HEAP, SERVICE.uid, SERVICE.gid);
    await give(test, 5000, SERVICE);
  });
});
