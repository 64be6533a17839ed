import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { dmabrokerctl } from './program.js';

/**
 * Somebody who has dmabroker.conf(5) and nothing else halves the contiguous pool, forbids it to all but the active
 * session, and looks whether it holds: each step is read from the manual and done.
 */
const page = readFileSync(new URL('../../../policy/dmabroker.conf.5', import.meta.url), 'utf8');
const [, part = ''] = /^\.Ss Half as much contiguous memory[^\n]*\n([^]*?)^\.Ss /m.exec(page) ?? [];
const [before = '', file = '', after = ''] = [...part.matchAll(/^\.Bd .*\n([^]*?)^\.Ed$/gm)].map(
  // \& keeps a line from being a request, and prints nothing.
  ([, text = '']) => text.replaceAll('\\&', ''),
);

/** The machine that the manual speaks of. */
const PROFILE = fileURLToPath(new URL('../../fixtures/profiles/raspberry-pi-4.json', import.meta.url));

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'dmabroker-newcomer-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** Rows below `[Pool contiguous]`, cell by cell; of a source the file's own name, as the manual shortens it. */
function rowsOf(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  const start = lines.indexOf('[Pool contiguous]');
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('  '));
  return lines.slice(start + 1, end).map((line) =>
    line
      .trim()
      .split(/ {2,}/)
      .map((cell) => (cell.includes('/') ? basename(cell) : cell)),
  );
}

const show = async (): Promise<readonly (readonly string[])[]> => {
  const { code, stdout, stderr } = await dmabrokerctl(['policy', 'show', '--root', root, PROFILE]);
  expect([code, stderr]).toEqual([0, '']);
  return rowsOf(stdout);
};

describe('what dmabroker.conf(5) says to do', () => {
  it('begins with what holds', async () => {
    expect(before).toMatch(/^\$ dmabrokerctl policy show$/m);
    const shown = rowsOf(before);
    expect(shown.map(([key]) => key)).toEqual(['Limit', 'Access']);
    expect(await show()).toEqual(expect.arrayContaining([...shown]));
  });

  it('goes on with a file, which is understood', async () => {
    const [, path = ''] = /^# (\/etc\/.*)$/m.exec(file) ?? [];
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), file);
    const { code, stdout } = await dmabrokerctl(['policy', 'check', '--root', root]);
    expect(code).toBe(0);
    expect(after).toContain(`$ dmabrokerctl policy check\n${stdout}`);
  });

  it('ends with what holds then, at the right line of that file', async () => {
    const shown = rowsOf(after);
    const now = await show();
    expect(now).toEqual(expect.arrayContaining([...shown]));
    const lines = file.split('\n');
    for (const [key = '', text = '', ...rest] of shown) {
      const [name = '', line = ''] = (rest.at(-1) ?? '').split(':');
      expect(name).toBe('60-local.conf');
      expect(lines[Number(line) - 1]).toBe(`${key}=${text}`);
    }
    expect(shown.map(([key]) => key)).toEqual(['Limit', 'Access']);
  });

  it('has halved the pool, and let in nobody but the active session', async () => {
    const mib = (rows: readonly (readonly string[])[]): number =>
      Number(rows.find(([key]) => key === 'Limit')?.[2]?.replace(' MiB', ''));
    expect(mib(await show())).toBe(mib(rowsOf(before)) / 2);
    expect((await show()).find(([key]) => key === 'Access')?.[1]).toBe('active-session');
  });
});
