import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { run } from '../../../client/cli/run.js';
import type { TrialReport } from '../../../client/cli/trial/report.js';
import { openFds } from '../../harness/leaks.js';
import { camera, card } from '../rig/cards.js';

const POLICY = fileURLToPath(new URL('../../../../policy', import.meta.url));

/** Runs dmabrokerctl in this process. */
async function dmabrokerctl(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await run({
    argv,
    env: {},
    stdin: new PassThrough(),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    stop: new AbortController().signal,
    version: 'test',
    hasSystemd: false,
    shipped: POLICY,
  });
  return { code, out, err };
}

const CARDS = ['vkms', 'bochs-drm', 'virtio_gpu', 'vgem'];
const CAMERAS = ['vivid', 'vim2m'];

describe('dmabrokerctl try', () => {
  const directory = mkdtempSync(join(tmpdir(), 'try-'));
  let nodes: readonly string[];
  let report: TrialReport;
  before(async () => {
    nodes = [...CARDS.map(card), ...CAMERAS.map(camera)];
    const opened = openFds();
    const { code, out, err } = await dmabrokerctl('try', ...nodes, '--json');
    assert.deepEqual([...openFds()], [...opened]);
    report = JSON.parse(out) as TrialReport;
    assert.deepEqual(
      report.trials.filter(({ verdict }) => verdict === 'disagrees'),
      [],
    );
    assert.equal(code, 0, err);
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  it('finds that the kernel takes what is decided, on every device', () => {
    for (const node of nodes) {
      const its = report.trials.filter(({ device }) => device === node);
      const agreeing = its.filter(({ verdict }) => verdict === 'agrees');
      assert.notEqual(agreeing.length, 0, `${node}: ${JSON.stringify(its.slice(0, 3))}`);
    }
  });

  it('makes framebuffers on displays, and queues buffers to converters', () => {
    const steps = (node: string): ReadonlySet<string> =>
      new Set(
        report.trials
          .filter(({ device }) => device === node)
          .flatMap(({ kernel }) => kernel.filter(({ said }) => said === 'accepted').map(({ call }) => call)),
      );
    for (const driver of ['vkms', 'bochs-drm', 'virtio_gpu'])
      assert(steps(card(driver)).has('ADDFB2'), driver);
    assert(steps(camera('vim2m')).has('QBUF'));
  });

  it('finds the one that disagrees when a rule is made wrong', async () => {
    cpSync(POLICY, directory, { recursive: true });
    // vim2m has no pitch of its own: it is always that of the pixels (vim2m.c, vidioc_try_fmt).
    writeFileSync(
      join(directory, 'dmabroker.conf.d/60-wrong.conf'),
      '[Device driver=vim2m]\nPitchExact=256\n',
    );
    const node = camera('vim2m');
    const { code, out } = await dmabrokerctl('try', node, '--policy', directory, '--json');
    const { trials } = JSON.parse(out) as TrialReport;
    const wrong = trials.filter(({ verdict }) => verdict === 'disagrees');
    assert.equal(code, 1);
    assert.notEqual(wrong.length, 0);
    for (const { decided, kernel } of wrong) {
      assert.equal(decided.is === 'layout' && (decided.planes[0]?.pitch ?? 0) % 256, 0);
      assert.match(kernel.at(-1)?.why ?? '', /^its pitch is \d+$/);
    }
  });

  it('becomes a profile that decides the same without the machine', async () => {
    const [sent, profile] = [join(directory, 'report.json'), join(directory, 'profile.json')];
    writeFileSync(sent, JSON.stringify(report, undefined, 2));
    const recorded = await dmabrokerctl('record', '--from', sent);
    assert.equal(recorded.code, 0, recorded.err);
    writeFileSync(profile, recorded.out);
    const decided = report.trials.filter((trial) => trial.decided.is === 'layout');
    for (const { device, use, format, width, height, decided: before } of decided.slice(0, 40)) {
      const size = ['--width', String(width), '--height', String(height), '--format', format];
      const words = ['explain', '--json', '--profile', profile, '--device', `${device}:${use}`, ...size];
      const { layout } = JSON.parse((await dmabrokerctl(...words)).out) as { layout: { planes: unknown } };
      assert.deepEqual(layout.planes, before.is === 'layout' && before.planes, `${device} ${format}`);
    }
  });

  it('says what it did not try', async () => {
    const { code, out } = await dmabrokerctl('try', card('vkms'));
    assert.equal(code, 0);
    assert.match(out, /^Not tried: atomic commits/m);
    const unknown = await dmabrokerctl('try', '/dev/dri/card77');
    assert.deepEqual([unknown.code, unknown.err.includes(card('vkms'))], [1, true]);
  });
});
