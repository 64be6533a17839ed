import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { waitingText } from '../../../../client/cli/party-waiting.js';
import { connect, type Broker } from '../../../../client/index.js';
import { startDaemon, type RunningDaemon } from '../../../harness/daemon.js';
import { startBus, type PrivateBus } from '../../../harness/private-bus.js';
import { dmabrokerctl, type ProgramOptions, type Ran } from '../program.js';

const PROFILE = fileURLToPath(new URL('../../../fixtures/profiles/intel-laptop.json', import.meta.url));
const IMAGE = ['--width', '64', '--height', '32', '--format', 'XR24'];

let bus: PrivateBus;
let daemon: RunningDaemon;
let broker: Broker;
beforeAll(async () => {
  bus = await startBus();
  daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
  broker = await connect({ bus: bus.address });
});
afterAll(async () => {
  await broker.close();
  await daemon.stop();
  await bus.stop();
});

const run = (argv: readonly string[], options: ProgramOptions = {}): Promise<Ran> =>
  dmabrokerctl(['--bus', bus.address, ...argv], options);

/** A run that others take part in, and what a pattern first finds in its output. */
class Running {
  readonly ran: Promise<Ran>;
  #written = '';
  #look: () => void = () => undefined;

  constructor(argv: readonly string[], stop = new AbortController().signal) {
    this.ran = run(argv, {
      stop,
      onOutput: (stdout, stderr) => {
        this.#written = stdout + stderr;
        this.#look();
      },
    });
  }

  find(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const [match] = pattern.exec(this.#written) ?? [];
        if (match !== undefined) resolve(match);
      };
      this.#look();
      void this.ran.then(({ stderr }) => {
        reject(new Error(stderr));
      });
    });
  }
}
const TOKEN = /[0-9a-f]{32}/;
const parsed = (stdout: string): readonly unknown[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

describe('negotiate and join', () => {
  it('agree on buffers, and show them', async () => {
    const done = new AbortController();
    const invited = ['--invite', 'must=viewer', '--invite', 'late'];
    const first = new Running(
      ['negotiate', ...IMAGE, '--device', 'cpu:write,min-buffers=2', ...invited],
      done.signal,
    );
    const token = await first.find(TOKEN);
    await first.find(/Waiting for viewer \(token unused\)\.\n/);
    const joined = await run([
      'join',
      token,
      '--device',
      'cpu:pitch-min=100,pitch-max=99',
      '--or',
      'cpu:read,min-buffers=1 /dev/dri/card0:scanout',
      '--spare',
      '1',
      '--hold',
      '0',
    ]);
    expect(joined).toMatchObject({ code: 0, stderr: '' });
    expect(joined.stdout).toMatch(/^generation +1\nimage +XR24 64 × 32, LINEAR\n/);
    expect(joined.stdout).toMatch(/^buffers +4$/m);
    await first.find(/^ +1 +viewer +ready +1 +1$/m);
    done.abort();
    const { code, stdout, stderr } = await first.ran;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^TOKEN +PART +LABEL\n[0-9a-f]{32} +must +viewer\n[0-9a-f]{32} +late\n/);
    expect(stdout).toMatch(/^ +0 +ready +0 +2$/m);
    expect(stderr).toMatch(/^Use each token within 20 seconds/);
  });

  it('write a stable form with --json, a document a line', async () => {
    const first = new Running(['--json', 'negotiate', '--size', '4096', '--count', '3', '--hold', '0']);
    const token = await first.find(TOKEN);
    const joined = await run(['--json', 'join', token, '--device', 'cpu:read', '--hold', '0']);
    const layout = { size: 4096, count: 3, pool: expect.any(String) as unknown, cpuAccess: 'cached' };
    expect(parsed(joined.stdout)).toEqual([{ event: 'buffers', generation: 1, layout }]);
    const party = { label: '', alternative: 0, buffers: 0 };
    expect(parsed((await first.ran).stdout)).toEqual([
      { event: 'invited', tokens: [{ token, part: 'must', label: '' }] },
      {
        event: 'buffers',
        generation: 1,
        layout,
        parties: [
          expect.objectContaining({ ...party, party: 0, inviter: -1, state: 'ready' }),
          expect.objectContaining({ ...party, party: 1, inviter: 0 }),
        ],
      },
    ]);
  });

  it('pass the buffers to a command', async () => {
    const first = await broker.negotiate({ size: 4096, count: 2 });
    const token = await first.invite();
    await first.constrain([[]]);
    const command = ['--', 'sh', '-c', 'test -e /proc/self/fd/4 && test "$DMABROKER_FDS" = 2 && exit 7'];
    // The token comes as it does from a program that starts another.
    const env = { ...process.env, DMABROKER_TOKEN: token };
    expect(await run(['join', '--device', 'cpu:read', ...command], { env })).toMatchObject({ code: 7 });
    await first.leave();
  });

  it('follow a renewal', async () => {
    const first = await broker.negotiate({ width: 64, height: 32, format: 'XR24' });
    const token = await first.invite();
    await first.constrain([[{ device: 'cpu', uses: ['write'] }]]);
    const done = new AbortController();
    const joined = new Running(['join', token, '--device', 'cpu:read'], done.signal);
    await joined.find(/generation +1/);
    await first.renew({ width: 128, height: 32, format: 'XR24' });
    await joined.find(/generation +2\nimage +XR24 128 × 32/);
    // Nothing of the first generation is held any more.
    await expect.poll(() => first.held).toBe(1);
    await first.leave();
    done.abort();
    expect(await joined.ran).toMatchObject({ code: 0, stderr: '' });
  });

  it('end when the person wants it, before there is anything', async () => {
    const done = new AbortController();
    const first = new Running(['negotiate', '--size', '1'], done.signal);
    const token = await first.find(TOKEN);
    done.abort();
    expect(await first.ran).toMatchObject({ code: 0 });
    await expect(broker.join(token)).rejects.toMatchObject({ code: 'UnknownToken' });
  });

  it('say what to do when a party was silent', async () => {
    const { code, stderr } = await run(['negotiate', '--size', '1', '--deadline', '0.1']);
    expect(code).toBe(1);
    expect(stderr).toContain('--invite may');
  });

  it('say what clashes', async () => {
    const devices = ['--device', 'cpu:write,pitch-max=256', '--device', 'cpu:read,pitch-min=257'];
    const { code, stderr } = await run(['negotiate', ...IMAGE, ...devices, '--invite', 'late']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/pitch-max 256.*pitch-min 257|pitch-min 257.*pitch-max 256/);
    expect(stderr).toContain('--or');
  });

  it('say what to do about a wrong token', async () => {
    const { code, stderr } = await run(['join', '0'.repeat(32), '--device', 'cpu']);
    expect(code).toBe(1);
    expect(stderr).toContain('ask for another');
  });

  it.each([
    [['negotiate']],
    [['negotiate', '--size', '1', '--width', '1']],
    [['negotiate', '--size', '1', '--deadline', '21']],
    [['negotiate', '--size', '1', '--deadline', 'soon']],
    [['negotiate', '--size', '1', '--invite', 'shall']],
    [['negotiate', '--size', '1', '--or', ' ']],
    [['negotiate', '--size', '1', '--or', 'cpu']],
    [['negotiate', '--size', '1', '--spare', 'many']],
    [['negotiate', '--size', '1', '--hold', '1', '--', 'true']],
    [['join', '--device', 'cpu']],
    [['join', '0'.repeat(32)]],
  ])('%j is a wrong use', async (argv) => {
    expect(await run(argv)).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('waitingText', () => {
  it.each([
    [[], 'Waiting for other parties.'],
    [
      [
        { label: 'viewer', state: 'unused', party: 1 },
        { label: '', state: 'asked', party: 2 },
      ],
      'Waiting for viewer (token unused), party 2 (needs not said).',
    ],
  ])('of %j', (waiting, text) => {
    expect(waitingText(waiting)).toBe(text);
  });
});
