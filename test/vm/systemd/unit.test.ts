import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';

import { connect } from '../../../client/index.js';
import { niceValues } from '../../harness/nice.js';
import { nothingLives, until } from '../rig/daemon.js';
import { localPolicy } from '../rig/local-policy.js';
import { card } from '../rig/cards.js';
import { brokerCall, person } from '../rig/people.js';
import { run, type Person } from '../rig/run.js';
import { DAEMON } from '../rig/unit.js';

/** Milliseconds for a call that waits for the daemon's start, which takes half a minute where much else runs. */
const PATIENCE = 120_000;
/** Comes back to the host. */
const EXPOSURE = '/out/systemd-security.txt';
/** Of systemd-analyze security, where 10 is no protection. */
const MOST_EXPOSED = 1.5;
const LIMIT = { text: '48M', bytes: 48n * 2n ** 20n };

/** What a program printed. @throws {AssertionError} with what it complained of */
async function saidBy(program: string, args: readonly string[], who?: Person): Promise<string> {
  const { code, out, complaints } = await run(program, args, who);
  assert.equal(code, 0, `${program} ${args.join(' ')}: ${complaints}`);
  return out;
}

interface Shown {
  readonly files: readonly string[];
  readonly words: readonly { readonly key: string; readonly text: string; readonly source: string }[];
}

const shownPolicy = async (): Promise<Shown> =>
  JSON.parse(await saidBy('dmabrokerctl', ['--json', 'policy', 'show'])) as Shown;

/** The lines of the files that `systemd-analyze cat-config` shows, in its order; each begins with its name in a comment. */
async function catConfig(): Promise<ReadonlyMap<string, readonly string[]>> {
  const text = await saidBy('systemd-analyze', ['cat-config', 'dmabroker/dmabroker.conf']);
  const files = text.split(/^# (?=\/\S+\.conf$)/m).slice(1);
  return new Map(
    files.map((file) => {
      const [name = '', ...lines] = file.split('\n');
      return [name, lines];
    }),
  );
}

async function scatteredLimit(): Promise<bigint | undefined> {
  const pools = JSON.parse(await saidBy('dmabrokerctl', ['--json', 'pools'])) as readonly {
    readonly class: string;
    readonly limit: string | number;
  }[];
  const limit = pools.find((pool) => pool.class === 'scattered')?.limit;
  return limit === undefined ? undefined : BigInt(limit);
}

/** Devices, heaps, buffers and their bytes, of a status line. */
const numbersIn = (line: string): readonly number[] => (line.match(/\d+/g) ?? []).map(Number);

describe('the unit', () => {
  before(() => DAEMON.stop());

  it('is as systemd wants it', async (test) => {
    const verified = await run('systemd-analyze', ['verify', '--man=no', DAEMON.name]);
    assert.deepEqual(verified, { code: 0, out: '', complaints: '' });
    const table = await saidBy('systemd-analyze', ['security', '--no-pager', DAEMON.name]);
    writeFileSync(EXPOSURE, table);
    const last = table.trimEnd().split('\n').at(-1) ?? '';
    test.diagnostic(last);
    const exposure = Number(/: (\d+\.\d) /.exec(last)?.[1]);
    assert(exposure <= MOST_EXPOSED, last);
  });

  it('is started by the bus when an ordinary user calls', async (test) => {
    assert.equal(await DAEMON.property('ActiveState'), 'inactive');
    const started = performance.now();
    const display = ['1', card('vkms'), '1', 'uses', 'as', '1', 'scanout'];
    const image = ['3', 'width', 'u', '1280', 'height', 'u', '720', 'format', 's', 'XR24'];
    const call = brokerCall('Allocate', 'a(sa{sv})a{sv}', ...display, ...image);
    const said = await saidBy('busctl', call, person('bob'));
    assert.match(said, /^oa\{sv\}ah "\/org\/dmabroker1\/allocation\/\w+" .* "XR24" .* 1 \d+\n$/s);
    test.diagnostic(`after ${Math.round(performance.now() - started)} ms`);
    assert.equal(await DAEMON.property('ActiveState'), 'active');
    const status = await saidBy('busctl', ['status', 'org.dmabroker1']);
    assert.match(status, new RegExp(`^PID=${await DAEMON.mainPid()}$`, 'm'));
    assert.match(status, new RegExp(`^Unit=${DAEMON.name}$`, 'm'));
  });

  it('lets its event loop go before the threads that clear memory', async () => {
    const { loop, others } = niceValues((await DAEMON.mainPid()) ?? 0);
    assert.equal(loop, -10);
    assert.deepEqual([...new Set(others)], [0]);
  });

  it('applies a drop-in when it is reloaded, and works with the files that systemd shows', async () => {
    assert.notEqual(await scatteredLimit(), LIMIT.bytes);
    const pid = await DAEMON.mainPid();
    using _dropIn = localPolicy(`[Pool scattered]\nLimit=${LIMIT.text}\nWarm=0\n`);
    // It returns when the reload has ended (Type=notify-reload).
    await DAEMON.reload();
    assert.equal(await scatteredLimit(), LIMIT.bytes);
    assert.equal(await DAEMON.mainPid(), pid);
    const [shown, files] = [await shownPolicy(), await catConfig()];
    assert.deepEqual(shown.files, [...files.keys()]);
    assert(shown.files.some((file) => file.startsWith('/etc/')));
    const written = shown.words.filter(({ source }) => source !== 'policy:built-in');
    assert(written.length > 0);
    for (const { key, text, source } of written) {
      const [, file = '', line = ''] = /^policy:(.*):(\d+)$/.exec(source) ?? [];
      assert.equal(files.get(file)?.[Number(line) - 1], `${key}=${text}`, source);
    }
  });

  it('says in a line how it is, and says it anew when that changed', async () => {
    const line = () => DAEMON.property('StatusText');
    const before = await line();
    const [devices, heaps, ...held] = numbersIn(before);
    assert.deepEqual(held, [0, 0]);
    await using broker = await connect({ timeout: PATIENCE });
    const allocation = await broker.allocate([{ device: 'cpu', uses: ['read'] }], { size: 1n << 20n });
    const during = await until('the status line counts it', async () => {
      const now = await line();
      return now === before ? undefined : now;
    });
    assert.deepEqual(numbersIn(during), [devices, heaps, 1, 1]);
    assert.match(
      await saidBy('systemctl', ['status', '--no-pager', DAEMON.name]),
      new RegExp(`Status: "${during}"`),
    );
    await allocation.release();
    await until('the status line is as before', async () => ((await line()) === before ? true : undefined));
  });

  const ENDS = [
    { how: 'stood still and the watchdog saw it', signal: 'SIGSTOP' },
    { how: 'was killed', signal: 'SIGKILL' },
  ] as const;
  for (const { how, signal } of ENDS)
    it(`is back after it ${how}, and has not lost what it handed out`, async () => {
      await using broker = await connect({ timeout: PATIENCE });
      const lost: unknown[] = [];
      broker.on('lost', (allocation) => lost.push(allocation.path));
      await using allocation = await broker.allocate([{ device: 'cpu', uses: ['read', 'write'] }], {
        size: 65_536,
      });
      await until('systemd keeps the buffer too', async () =>
        Number(await DAEMON.property('NFileDescriptorStore')) > 0 ? true : undefined,
      );
      const pid = await DAEMON.mainPid();
      const restarts = Number(await DAEMON.property('NRestarts'));
      await DAEMON.kill(signal);
      await DAEMON.becomes('NRestarts', String(restarts + 1));
      await DAEMON.becomes('ActiveState', 'active');
      assert.notEqual(await DAEMON.mainPid(), pid);
      const kept = (await broker.allocations()).find(({ path }) => path === allocation.path);
      assert.equal(kept?.state, 'held');
      assert.deepEqual(lost, []);
      await allocation.release();
      await nothingLives(broker);
    });
});
