import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { complete } from '../../../client/cli/complete.js';
import { VERBS } from '../../../client/cli/verbs/index.js';
import { hasProgram } from '../../tools/ensure.mjs';
import { dmabrokerctl } from './program.js';

/** Of a verb of two words the first, once. */
const FIRST_WORDS = [...new Set(VERBS.map(({ name }) => name.split(' ')[0]))];

describe('complete', () => {
  const completed = (words: string, current: string) =>
    complete(words.split(' ').filter(Boolean), current, VERBS);

  it('knows the verbs', () => {
    expect(completed('', '')).toEqual([...FIRST_WORDS, '--bus', '--json', '--help', '--version']);
    expect(completed('--json --bus session', 'al')).toEqual(['allocations', 'allocate']);
  });

  it('knows the second words of a verb', () => {
    expect(completed('--json policy', '')).toEqual(
      expect.arrayContaining(['show', 'check', 'simulate', '--json']),
    );
    expect(completed('policy', 's')).toEqual(['show', 'simulate']);
    expect(completed('policy simulate', '--s')).toEqual(['--svg']);
    expect(completed('policy show', 's')).toEqual([]);
  });

  it('knows the options of the verb', () => {
    expect(completed('allocate', '--h')).toEqual(['--help', '--height', '--hold']);
    expect(completed('status', '--h')).toEqual(['--help']);
    expect(completed('allocate', 'st')).toEqual([]);
  });

  it.each([
    ['--bus', 's', ['system', 'session']],
    ['allocate --modifier', 'L', ['LINEAR']],
    ['allocate --width', '', []],
    ['allocate --device', '', ['cpu']],
    ['allocate --device', '/dev/', []],
    ['allocate --device', 'cpu:re', ['cpu:render', 'cpu:read']],
    [
      'allocate --device',
      'cpu:read,pitch-m',
      ['cpu:read,pitch-multiple', 'cpu:read,pitch-min', 'cpu:read,pitch-max'],
    ],
    ['allocate --device', '226:0:sc', ['226:0:scanout']],
    ['allocate --size 1 --', 'l', []],
  ])('%s %s', (words, current, candidates) => {
    expect(completed(words, current)).toEqual(candidates);
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

  it('bash completes verbs, options, and behind colons', () => {
    expect(inBash('dmabrokerctl rel')).toEqual(['release', 'reload']);
    expect(inBash('dmabrokerctl status --j')).toEqual(['--json']);
    expect(inBash('dmabrokerctl allocate --device cpu:re')).toEqual(['render', 'read']);
    expect(inBash('dmabrokerctl allocate ')).toContain('--device');
  });

  it.runIf(hasProgram('fish'))('fish completes verbs and devices', () => {
    const inFish = (line: string): string =>
      execFileSync('fish', ['-c', `source '${script('dmabrokerctl.fish')}'; complete -C '${line}'`], {
        // Fish offers files as well.
        cwd: directory,
        env,
        encoding: 'utf8',
      });
    expect(inFish('dmabrokerctl rel')).toBe('release\nreload\n');
    expect(inFish('dmabrokerctl allocate --device cpu:re')).toBe('cpu:read\ncpu:render\n');
  });

  it.runIf(hasProgram('zsh'))('zsh reads its script', () => {
    execFileSync('zsh', ['-n', script('_dmabrokerctl')], { env });
  });
});
