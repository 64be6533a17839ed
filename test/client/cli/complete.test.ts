import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { complete, type Names } from '../../../client/cli/complete.js';
import { VERBS } from '../../../client/cli/verbs/index.js';
import { startBus, type PrivateBus } from '../../harness/private-bus.js';
import { startInTerminal } from '../../harness/terminal.js';
import { ensure } from '../../tools/ensure.mjs';
import { allocation, objects, pool, startPeer, type Peer } from '../peer.js';
import { dmabrokerctl } from './program.js';

const has = (...packages: readonly string[]): boolean => ensure(packages, { optional: true });

/** Several shells one after the other, each of which asks the program. */
const SLOW = { timeout: 90_000 };

/** Of a verb of two words the first, once. */
const FIRST_WORDS = [...new Set(VERBS.map(({ name }) => name.split(' ')[0]))];

const NAMES: Names = {
  pools: () => Promise.resolve(['contiguous', 'scattered:ab12', 'ab12cd']),
  allocations: () => Promise.resolve(['4f3e', '4f9a']),
  devices: () => Promise.resolve(['cpu', '/dev/dri/card0', '/dev/dri/renderD128']),
};

describe('complete', () => {
  const completed = (words: string, current: string) =>
    complete(words.split(' ').filter(Boolean), current, VERBS, NAMES);

  it('knows the verbs', async () => {
    expect(await completed('', '')).toEqual([...FIRST_WORDS, '--bus', '--json', '--help', '--version']);
    expect(await completed('--json --bus session', 'al')).toEqual(['allocations', 'allocate']);
  });

  it('knows the second words of a verb', async () => {
    expect(await completed('--json policy', '')).toEqual(
      expect.arrayContaining(['show', 'check', 'simulate', '--json']),
    );
    expect(await completed('policy', 's')).toEqual(['show', 'simulate']);
    expect(await completed('policy simulate', '--s')).toEqual(['--svg']);
  });

  it('knows the options of the verb', async () => {
    expect(await completed('allocate', '--h')).toEqual(['--help', '--height', '--hold']);
    expect(await completed('status', '--h')).toEqual(['--help']);
    expect(await completed('allocate', 'st')).toEqual([]);
  });

  it.each([
    ['--bus', 's', ['system', 'session']],
    ['allocate --modifier', 'L', ['LINEAR']],
    ['allocate --width', '', []],
    ['allocate --device', '', ['cpu', '/dev/dri/card0', '/dev/dri/renderD128']],
    ['allocate --device', '/dev/dri/c', ['/dev/dri/card0']],
    ['allocate --device', 'cpu:re', ['cpu:render', 'cpu:read']],
    ['negotiate --or', 'cpu:re', ['cpu:render', 'cpu:read']],
    ['negotiate --invite', 'm', ['must', 'may']],
    ['negotiate', '--max', ['--max-buffers', '--max-bytes']],
    [
      'allocate --device',
      'cpu:read,pitch-m',
      ['cpu:read,pitch-multiple', 'cpu:read,pitch-min', 'cpu:read,pitch-max'],
    ],
    ['allocate --device', '226:0:sc', ['226:0:scanout']],
    ['allocate --size 1 --', 'l', []],
  ])('%s %s', async (words, current, candidates) => {
    expect(await completed(words, current)).toEqual(candidates);
  });

  it.each([
    ['reveal', 's', ['scattered:ab12']],
    ['reveal', 'ab', ['ab12cd']],
    ['reveal', '--h', ['--help']],
    ['reveal contiguous', '', ['--bus', '--json', '--help', '--version']],
    ['--bus session set-limit', 'c', ['contiguous']],
    ['set-limit contiguous', '6', []],
    ['release', '4f9', ['4f9a']],
    ['release --json', '', ['4f3e', '4f9a', '--bus', '--json', '--help', '--version']],
    ['devices', '/dev/dri/r', ['/dev/dri/renderD128']],
  ])('names what there is: %s %s', async (words, current, candidates) => {
    expect(await completed(words, current)).toEqual(candidates);
  });

  it.each([
    ['policy show', ''],
    ['policy simulate a.json', 'b'],
    ['policy simulate --svg', ''],
    ['policy check --root', '/'],
    ['record', ''],
  ])('leaves files to the shell: %s %s', async (words, current) => {
    expect(await completed(words, current)).toEqual([]);
  });

  it('is a verb that help does not name', async () => {
    const { code, stdout } = await dmabrokerctl(['complete', '--word=rel', '--', '--json']);
    expect([code, stdout]).toEqual([0, 'release\nreload\n']);
    expect((await dmabrokerctl(['complete', '--word=', '--', 'pools'])).stdout).toContain('--json\n');
    expect((await dmabrokerctl(['--help'])).stdout).not.toContain('complete');
  });
});

describe('the scripts', () => {
  const script = (name: string): string =>
    fileURLToPath(new URL(`../../../client/completions/${name}`, import.meta.url));
  const main = fileURLToPath(new URL('../../../dist/client/cli/main.js', import.meta.url));
  let directory: string;
  let env: NodeJS.ProcessEnv;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'dmabrokerctl-'));
    writeFileSync(join(directory, 'dmabrokerctl'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
    chmodSync(join(directory, 'dmabrokerctl'), 0o755);
    env = { ...process.env, HOME: directory, PATH: `${directory}:${process.env['PATH'] ?? ''}` };
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  const inBash = (line: string): string[] =>
    execFileSync(
      'bash',
      ['-c', `. '${script('dmabrokerctl.bash')}'; _dmabrokerctl; printf '%s\\n' "\${COMPREPLY[@]}"`],
      { env: { ...env, COMP_LINE: line, COMP_POINT: String(line.length) }, encoding: 'utf8' },
    )
      .trimEnd()
      .split('\n');
  const inFish = (line: string): string =>
    execFileSync('fish', ['-c', `source '${script('dmabrokerctl.fish')}'; complete -C '${line}'`], {
      cwd: directory,
      env,
      encoding: 'utf8',
    });
  /** Types into a shell that a person would have, and waits for what it makes of it. */
  const typed = async (shell: readonly string[], setup: string, keys: string, shown: RegExp) => {
    await using terminal = await startInTerminal(shell, { columns: 80, rows: 24, env });
    terminal.type(`${setup}; echo re''ady\n`);
    await terminal.shows(/ready/);
    terminal.type(keys);
    await terminal.shows(shown);
    terminal.type('\u{15}exit\n');
    await terminal.exited;
  };

  it('bash completes verbs, options, and behind colons', () => {
    expect(inBash('dmabrokerctl rel')).toEqual(['release', 'reload']);
    expect(inBash('dmabrokerctl status --j')).toEqual(['--json']);
    expect(inBash('dmabrokerctl allocate --device cpu:re')).toEqual(['render', 'read']);
    expect(inBash('dmabrokerctl allocate ')).toContain('--device');
  });

  it.runIf(has('bsdutils'))('bash completes at a key, and files where a file may stand', SLOW, async () => {
    const setup = `. '${script('dmabrokerctl.bash')}'; cd '${directory}'; touch my-machine.json`;
    const bash = ['bash', '--norc', '-i'];
    await typed(bash, setup, 'dmabrokerctl relo\t', /dmabrokerctl reload/);
    await typed(bash, setup, 'dmabrokerctl policy show my-\t', /show my-machine\.json/);
  });

  it.runIf(has('fish'))('fish completes verbs and devices, and files where a file may stand', () => {
    writeFileSync(join(directory, 'my-machine.json'), '');
    expect(inFish('dmabrokerctl rel')).toBe('release\nreload\n');
    expect(inFish('dmabrokerctl allocate --device cpu:re')).toBe('cpu:read\ncpu:render\n');
    expect(inFish('dmabrokerctl policy show my-')).toBe('my-machine.json\n');
    expect(inFish('dmabrokerctl status my-')).not.toContain('status --bus');
  });

  it.runIf(has('zsh', 'bsdutils'))(
    'zsh completes at a key, and files where a file may stand',
    SLOW,
    async () => {
      execFileSync('zsh', ['-n', script('_dmabrokerctl')], { env });
      const folder = dirname(script('_dmabrokerctl'));
      const setup = `fpath=('${folder}' $fpath); autoload -U compinit; compinit -u -D; cd '${directory}'; touch my-machine.json`;
      const zsh = ['zsh', '-f', '-i'];
      await typed(zsh, setup, 'dmabrokerctl relo\t', /dmabrokerctl reload/);
      await typed(zsh, setup, 'dmabrokerctl allocate --device cpu:wri\t', /cpu:write/);
      await typed(zsh, setup, 'dmabrokerctl policy show my-\t', /show my-machine\.json/);
    },
  );

  describe('with a daemon', () => {
    let bus: PrivateBus;
    let peer: Peer;
    beforeAll(async () => {
      bus = await startBus();
      peer = await startPeer(bus.address);
      peer.answers.set('GetManagedObjects', objects(pool('a1'), allocation('4f3e21', ':1.9')));
    });
    afterAll(async () => {
      await peer.leave();
      await bus.stop();
    });
    // Not in this process, whose turn it is to answer.
    const asked = async (...words: readonly string[]): Promise<string> => {
      const argv = [main, 'complete', `--word=${words.at(-1) ?? ''}`, '--', ...words.slice(0, -1)];
      return (await promisify(execFile)(process.execPath, argv, { env })).stdout;
    };

    it('names pools and allocations of the bus that the line names', async () => {
      expect(await asked('--bus', bus.address, 'reveal', 'a')).toBe('a1\n');
      expect(await asked(`--bus=${bus.address}`, 'set-limit', 'p')).toBe('plain\n');
      expect(await asked('release', '--bus', bus.address, '4')).toBe('4f3e21\n');
    });

    it('says nothing where there is nobody to ask', async () => {
      expect(await asked('--bus', 'unix:path=/nowhere', 'reveal', '')).toMatch(/^--bus\n/);
      expect(await asked('--bus', 'unix:path=/nowhere', 'release', '4')).toBe('');
    });
  });
});
