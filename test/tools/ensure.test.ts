import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { MARKS } from './ensure.mjs';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What a process without any program on its PATH hears of packages that it asks for. */
function asked(call: string, env: NodeJS.ProcessEnv = {}) {
  const script = `import { ensure } from '${at('ensure.mjs')}'; console.log(${call});`;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: '/nowhere', ...env },
    encoding: 'utf8',
  });
}

describe('ensure', () => {
  it('says in a line what is missing, and installs nothing', () => {
    const { status, stderr } = asked(`ensure(['dbus-daemon', 'fish'])`);
    expect(status).toBe(1);
    expect(stderr).toContain('apt-get install dbus-daemon fish');
  });

  it('lets a test do without what is optional', () => {
    expect(asked(`ensure(['fish'], { optional: true })`)).toMatchObject({ status: 0, stdout: 'false\n' });
  });

  it('lets no test do without anything where all tools are required', () => {
    const { status, stderr } = asked(`ensure(['fish'], { optional: true })`, { REQUIRE_ALL_TOOLS: '1' });
    expect(status).toBe(1);
    expect(stderr).toContain('apt-get install fish');
  });
});

it('.ci/packages lists every package that a test can ask for', () => {
  const listed = readFileSync(at('../../.ci/packages'), 'utf8').trimEnd().split('\n');
  expect(listed).toEqual(Object.keys(MARKS).toSorted());
});
