import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { dmabrokerctl } from './program.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));

let directory: string;
let report: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dmabrokerctl-dumps-'));
  report = join(directory, 'report.json');
  const { code, stdout } = await dmabrokerctl([
    ...['record', '--from', fixture('dumps/i915.drm_info.json'), fixture('dumps/nodes.v4l2-ctl.txt')],
  ]);
  expect(code).toBe(0);
  writeFileSync(report, stdout);
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const explain = (...words: readonly string[]) =>
  dmabrokerctl(['explain', '--json', '--width', '1366', '--height', '768', '--format', 'XR24', ...words]);

interface Answer {
  readonly feasible: boolean;
  readonly layout?: { readonly planes: readonly { readonly pitch: number }[] };
  readonly limits: readonly string[];
}
const answerOf = (text: string): Answer => JSON.parse(text) as Answer;

describe('the machine of a bug report', () => {
  it('is explained without a broker, and by the rules of its drivers', async () => {
    const { code, stdout } = await explain('--profile', report, '--device', '/dev/dri/card1:scanout');
    expect(code).toBe(0);
    // intel_fb.c, intel_fb_stride_alignment: 64 bytes for a linear surface.
    expect(answerOf(stdout).layout?.planes.map(({ pitch }) => pitch)).toEqual([
      Math.ceil((1366 * 4) / 64) * 64,
    ]);
  });

  it('says what is not known of it, and what it was made from', async () => {
    const { stderr } = await explain('--profile', report, '--device', '/dev/dri/card1:scanout');
    expect(stderr).toMatch(/made from what other tools printed: drm_info --json \(i915\.drm_info\.json\)/);
    expect(stderr).toMatch(/^unknown: the IOMMU of /m);
  });

  it('has no limits that are shares of RAM, where that is not known', async () => {
    const { stdout: profile } = await dmabrokerctl(['record', '--from', fixture('dumps/i915.drm_info.json')]);
    const file = join(directory, 'one.json');
    writeFileSync(file, profile);
    const { code, stdout } = await explain('--profile', file, '--device', '/dev/dri/card1:scanout');
    expect([code, answerOf(stdout).limits]).toEqual([0, []]);
  });

  it('refuses what is wrong, with the file', async () => {
    const none = await dmabrokerctl(['record', '--from', join(directory, 'nothing')]);
    expect([none.code, none.stderr.split('\n')[0]]).toEqual([
      2,
      `dmabrokerctl: ${join(directory, 'nothing')}: there is no such file`,
    ]);
    writeFileSync(join(directory, 'text'), 'hello\n');
    const text = await dmabrokerctl(['record', '--from', join(directory, 'text')]);
    expect([text.code, text.stderr]).toEqual([2, expect.stringMatching(/^dmabrokerctl: text:1: /)]);
  });
});

describe('a constructed profile', () => {
  it('says in devices that it was recorded on no machine', async () => {
    const { code, stdout, stderr } = await dmabrokerctl([
      ...['devices', '--profile', fixture('profiles/steam-deck.json')],
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^This is a profile constructed from documentation, recorded on no machine/);
    expect(stdout).toMatch(/^\/dev\/dri\/card0 +226:0 +amdgpu/m);
  });
});
