import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { Arena } from '../rig/arena.js';
import { tryWay } from '../rig/attacks.js';
import { exporters, type Exporter } from '../rig/exporters.js';
import { ways } from '../rig/ways.js';

/** What the daemon keeps of its probes, as far as it is forged here. */
interface Kept {
  readonly retention: { readonly heap: string; value: string; readonly source: string }[];
}

/** What a forged probe says, the way that shows that it is wrong, and how. */
interface Forgery {
  readonly value: string;
  readonly way: string;
  readonly betrays: 'shows a secret' | 'does not count';
}

/** What a card makes is never handed out again, whatever a probe says; but it is what tells that the kernel counts it. */
const forgeryOf = ({ kind }: Exporter): Forgery =>
  kind === 'drm-dumb'
    ? { value: 'visible', way: 'dumb-map', betrays: 'does not count' }
    : { value: 'nothing', way: 'vmsplice', betrays: 'shows a secret' };

/** Forges what the probe of this exporter found. @returns whether it had found that a former holder keeps something */
function forge(file: string, { key }: Exporter, value: string): boolean {
  const text = JSON.parse(readFileSync(file, 'utf8')) as Kept;
  const unsafe = text.retention.filter(
    (entry) => entry.value === 'unknown' && entry.heap.split(' ').includes(key),
  );
  for (const entry of unsafe) entry.value = value;
  writeFileSync(file, JSON.stringify(text));
  return unsafe.length > 0;
}

function temporary(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'planted-'));
  return {
    path,
    [Symbol.dispose]: () => {
      rmSync(path, { recursive: true });
    },
  };
}

for (const exporter of exporters().filter(({ counts }) => counts))
  describe(`memory of ${exporter.name}`, () => {
    const { value, way, betrays } = forgeryOf(exporter);
    it(`${betrays} when its probe is forged to say ${value}, if a former holder can keep it at all`, async (test) => {
      using directory = temporary();
      const state = directory.path;
      const args = ['--state-dir', state];
      await (await Arena.open(exporter, args))[Symbol.asyncDispose]();
      const isUnsafe = forge(join(state, 'trials.json'), exporter, value);
      await using arena = await Arena.open(exporter, args);
      await using attacker = await arena.attacker();
      await using victim = await arena.victim();
      const chosen = ways().find(
        ({ name, node }) => name === way && (way !== 'dumb-map' || node === exporter.node),
      );
      assert(chosen !== undefined);
      const { said, saw, counted } = await tryWay(arena, attacker, victim, chosen);
      test.diagnostic(
        `${exporter.name}: ${isUnsafe ? 'forged' : 'safe as it is'}: ${said}, saw ${saw}, ${counted ? 'counted' : 'not counted'}`,
      );
      const seen = said.startsWith('kept') && (betrays === 'shows a secret' ? saw === 'secret' : !counted);
      assert.equal(seen, isUnsafe);
    });
  });
