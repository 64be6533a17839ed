import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { LOG_LEVELS } from '../../daemon/service/options.js';
import { runDaemon } from '../integration/rig.js';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const page = readFileSync(at('systemd/dmabrokerd.8'), 'utf8');

/** Lines of a section, from its heading to the next. */
const section = (name: string): string =>
  new RegExp(`^\\.S[hs] ${name}$([^]*?)(?=^\\.S[hs] |(?![^]))`, 'm').exec(page)?.[1] ?? '';

/** Source of all files below a directory. */
const sourceOf = (directory: string): string =>
  readdirSync(at(directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(at(directory), name), 'utf8'))
    .join('\n');

describe('dmabrokerd(8)', () => {
  it('describes every option with its value, and no other', async () => {
    const { stdout } = await runDaemon('--help');
    const options = [...stdout.matchAll(/^ +(?:-\w, )?--([a-z-]+)(?: <(\w+)>)?/gm)].map(
      ([, name = '', value]) => [name, value !== undefined],
    );
    const described = [...section('Options').matchAll(/^\.It Fl -([a-z-]+)( Ar \w+)?$/gm)].map(
      ([, name = '', value]) => [name, value !== undefined],
    );
    expect(options.length).toBeGreaterThan(5);
    expect(described.toSorted()).toEqual(options.toSorted());
    const used = [...section('SYNOPSIS').matchAll(/Fl -([a-z-]+)/g)].map(([, name]) => name);
    expect(new Set(used)).toEqual(new Set(options.map(([name]) => name)));
  });

  it('names every level of the log', () => {
    for (const level of LOG_LEVELS) expect(section('Options')).toMatch(new RegExp(`\\b${level}\\b`));
  });

  it('names every variable of the environment that is read', () => {
    const source = `${sourceOf('daemon')}\n${sourceOf('dbus')}`;
    const quoted = source.matchAll(/\b(?:env|environment)\[?\.?'?([A-Z][A-Z_]+)\b/g);
    const spread = source.matchAll(/\b((?:LISTEN|WATCHDOG)_[A-Z]+)\b/g);
    const read = [...quoted, ...spread].map(([, name]) => name);
    const described = [...section('ENVIRONMENT').matchAll(/^\.(?:It )?Ev ([A-Z_]+)/gm)].map(
      ([, name]) => name,
    );
    expect(read.length).toBeGreaterThan(5);
    expect(described).toEqual(expect.arrayContaining(read));
  });

  it('names every signal that means something', () => {
    const signals = [...sourceOf('daemon').matchAll(/'(SIG[A-Z]+)'/g)].map(([, name]) => name);
    const described = [...section('SIGNALS').matchAll(/^\.It Dv (SIG\w+)$/gm)].map(([, name]) => name);
    expect(new Set(described)).toEqual(new Set(signals));
  });

  it('says what the program ends with', async () => {
    const codes = [...section('EXIT STATUS').matchAll(/^\.It (\d)$/gm)].map(([, code]) => Number(code));
    const ran = await Promise.all([
      runDaemon('--version'),
      runDaemon('--profile', '/nowhere'),
      runDaemon('--nonsense'),
    ]);
    expect(ran.map(({ code }) => code)).toEqual(codes);
  });
});
