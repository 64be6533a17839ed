import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';

import type { DeviceInfo, Watch } from '../../../client/index.js';
import { openFds, startDaemon, until, type RunningDaemon } from '../rig/daemon.js';
import { VIVID, VKMS, type Plug } from '../rig/plugging.js';

const ROUNDS = 50;
const CPU = [{ device: 'cpu', uses: ['read', 'write'] }] as const;

let daemon: RunningDaemon;
let watch: Watch;

before(async () => {
  daemon = await startDaemon();
  watch = await daemon.broker.watch();
});
after(async () => {
  await watch[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
});

const found = (driver: string): DeviceInfo | undefined =>
  [...watch.objects.values()].find(
    (object): object is DeviceInfo => object.kind === 'device' && object.driver === driver,
  );

/** Milliseconds from a change until the bus tells of it. */
async function toldAfter(what: string, change: () => void, isTold: () => boolean): Promise<number> {
  change();
  const changed = performance.now();
  await until(what, () => isTold() || undefined);
  return performance.now() - changed;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Pulls and plugs, with an allocation alive that nothing of it may touch. */
async function plug({ driver, out, in: back }: Plug, test: TestContext): Promise<void> {
  const { broker, pid } = daemon;
  await using allocation = await broker.allocate(CPU, { size: 1 << 20 });
  const [buffer] = allocation.buffers;
  assert(buffer !== undefined);
  await buffer.map({ write: true }, (bytes) => bytes.fill(0x5a));
  const gone: number[] = [];
  const there: number[] = [];
  let fds = 0;
  for (let round = 0; round < ROUNDS; round++) {
    gone.push(await toldAfter(`${driver} gone`, out, () => found(driver) === undefined));
    there.push(await toldAfter(`${driver} there`, back, () => found(driver) !== undefined));
    // The first round loads what the daemon needs for the others.
    if (round === 0) fds = openFds(pid);
  }
  test.diagnostic(
    `told of going after ${median(gone).toFixed(0)} ms, of coming after ${median(there).toFixed(0)} ms`,
  );
  await until('no descriptor more than after the first round', () => openFds(pid) <= fds || undefined);
  assert(await buffer.map({ read: true }, (bytes) => bytes.every((byte) => byte === 0x5a)));
  assert((await broker.allocations()).some(({ path }) => path === allocation.path));
  const listed = await broker.devices();
  assert.equal(listed.filter((device) => device.driver === driver).length, 1);
  assert.equal(new Set(listed.map(({ path }) => path)).size, listed.length);
}

describe(`a device that comes and goes ${ROUNDS} times`, () => {
  it('a display, whose driver is unloaded and loaded', (test) => plug(VKMS, test));
  it('a camera, taken from its driver and given back', (test) => plug(VIVID, test));
});

it('a heap that vanishes closes its pool with a reason, and what lives of it stays', async () => {
  const { broker } = daemon;
  const before = await broker.pools();
  const display = found(VKMS.driver);
  assert(display !== undefined);
  VKMS.out();
  await until('a pool less', async () => ((await broker.pools()).length < before.length ? true : undefined));
  const left = (await broker.pools()).map(({ handle }) => handle);
  const closed = before.map(({ handle }) => handle).filter((handle) => !left.includes(handle));
  const { warnings } = await broker.status();
  assert(
    warnings.some((text) => closed.some((handle) => text.includes(handle)) && !text.includes('/dev/')),
    warnings.join('\n'),
  );
  VKMS.in();
  await until('the pool back', async () =>
    (await broker.pools()).length === before.length ? true : undefined,
  );
});
