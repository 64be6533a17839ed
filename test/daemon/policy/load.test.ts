import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_FILE_BYTES, loadPolicy, loadPolicyIn } from '../../../daemon/policy/load.js';
import { naming } from '../../harness/naming.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dmabroker-policy-'));
  mkdirSync(join(root, 'etc/dmabroker/dmabroker.conf.d'), { recursive: true });
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const machine = { ram: 2n ** 34n, frame: { width: 1920, height: 1080 } };

describe('loadPolicy', () => {
  it('reads main file and drop-ins, the later word counts', async () => {
    writeFileSync(
      join(root, 'etc/dmabroker/dmabroker.conf'),
      '[Broker]\nMaxBuffer=1M\nPlainOnSystemBus=yes\n',
    );
    writeFileSync(
      join(root, 'etc/dmabroker/dmabroker.conf.d/60-a.conf'),
      '[Broker]\nMaxBuffer=3M\nMaxBufer=4M\n',
    );
    const policy = await loadPolicy({ root });
    expect(policy.files).toEqual([
      '/etc/dmabroker/dmabroker.conf',
      '/etc/dmabroker/dmabroker.conf.d/60-a.conf',
    ]);
    expect(policy.problems).toMatchObject([
      {
        file: '/etc/dmabroker/dmabroker.conf.d/60-a.conf',
        line: 3,
        column: 1,
        kind: 'unknown-key',
        suggestion: 'MaxBuffer',
      },
    ]);
    expect(policy.warnings).toEqual([
      expect.stringMatching(/^\/etc\/dmabroker\/dmabroker\.conf\.d\/60-a\.conf:3:1: ./),
    ]);
    expect(policy.maxBuffer(machine)).toEqual({
      value: 3n * 2n ** 20n,
      source: 'policy:/etc/dmabroker/dmabroker.conf.d/60-a.conf:2',
    });
    expect(policy.plainOnSystemBus().source).toBe('policy:/etc/dmabroker/dmabroker.conf:3');
  });

  it('is all built in where there is no file', async () => {
    const policy = await loadPolicy({ root });
    expect(policy).toMatchObject({ files: [], warnings: [] });
    expect(policy.maxBuffer(machine).source).toBe('policy:built-in');
  });

  it('leaves out a file that is too large, and says so', async () => {
    writeFileSync(join(root, 'etc/dmabroker/dmabroker.conf'), Buffer.alloc(MAX_FILE_BYTES + 1, '#'));
    const policy = await loadPolicy({ root });
    expect(policy).toMatchObject({
      files: [],
      problems: [
        {
          file: '/etc/dmabroker/dmabroker.conf',
          kind: 'file-too-large',
          text: expect.stringMatching(naming(MAX_FILE_BYTES)) as string,
        },
      ],
    });
  });

  it('reads a file of nothing but NULs', async () => {
    writeFileSync(join(root, 'etc/dmabroker/dmabroker.conf'), Buffer.alloc(1_000_000));
    const policy = await loadPolicy({ root });
    expect(policy.warnings).toHaveLength(1);
  });
});

describe('loadPolicyIn', () => {
  it('reads one directory and no other', async () => {
    mkdirSync(join(root, 'my/dmabroker.conf.d'), { recursive: true });
    writeFileSync(join(root, 'my/dmabroker.conf'), '[Broker]\nMaxBuffer=1M\n');
    writeFileSync(join(root, 'my/dmabroker.conf.d/60-a.conf'), '[Broker]\nMaxBuffer=3M\nMaxBufer=4M\n');
    const directory = join(root, 'my');
    const policy = await loadPolicyIn(directory);
    expect(policy.files).toEqual([`${directory}/dmabroker.conf`, `${directory}/dmabroker.conf.d/60-a.conf`]);
    expect(policy.maxBuffer(machine).source).toBe(`policy:${directory}/dmabroker.conf.d/60-a.conf:2`);
    expect(policy.warnings).toHaveLength(1);
  });
});
