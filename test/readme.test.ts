import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { findVerb, parseArguments, GLOBAL_OPTIONS } from '../client/cli/arguments.js';
import { VERBS } from '../client/cli/verbs/index.js';
import { CLIENT_ERRORS } from '../client/errors.js';
import * as library from '../client/index.js';
import { parseOptions } from '../daemon/service/options.js';
import { ERRORS } from '../dbus/errors.js';
import { startDaemon, type RunningDaemon } from './harness/daemon.js';
import { startBus, type PrivateBus } from './harness/private-bus.js';
import { TemporaryDirectory } from './integration/rig.js';
import { ensure } from './tools/ensure.mjs';

const ROOT = new URL('../', import.meta.url);
const at = (path: string): string => fileURLToPath(new URL(path, ROOT));
const README = readFileSync(at('README.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(at('package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};

/** Commands of the blocks, each whole, without what is said of it. */
const blocks = [...README.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, text = '']) =>
  text
    .replaceAll(/\\\n\s*/g, '')
    .trimEnd()
    .split('\n'),
);
/** Commands in sentences and in the table. */
const inline = [...README.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/`([^`]+)`/g)].map(
  ([, text = '']) => text,
);

const commands = [...blocks, ...inline]
  .map((line) => line.replace(/ +#.*$/, ''))
  .flatMap((line) => line.split(' && '))
  .map((line) => line.replace(/^sudo /, ''));

/** Words after a program's name, of every command that begins with it. */
const of = (program: string): readonly (readonly string[])[] =>
  commands
    .filter((line) => line === program || line.startsWith(`${program} `))
    .map((line) => line.slice(program.length).trim().split(/\s+/).filter(Boolean));

describe('README.md', () => {
  it.each(
    [...of('dmabrokerctl'), ...of('node dist/client/cli/main.js')].map(
      (words) => [words.join(' '), words] as const,
    ),
  )('dmabrokerctl %s exists, with its options', (_, words) => {
    if (words.length === 0) return;
    const { verb: name, others } = findVerb(
      words,
      VERBS.map((each) => each.name),
    );
    const verb = VERBS.find((each) => each.name === name);
    expect(verb?.name).toBe(name);
    const { operands } = parseArguments(others, [...GLOBAL_OPTIONS, ...(verb?.options ?? [])]);
    expect(operands.length === 0 || verb?.operands !== undefined).toBe(true);
  });

  it.each(
    [...of('dmabrokerd'), ...of('node dist/daemon/main.js')].map(
      (words) => [words.join(' '), words] as const,
    ),
  )('dmabrokerd %s exists, with its options', (_, words) => {
    expect(parseOptions(words, '0').run).toBe(true);
  });

  it.each(of('npm run').map(([name = '']) => [name] as const))('npm run %s exists', (name) => {
    expect(Object.keys(scripts)).toContain(name);
  });

  it.each(of('npm').map((words) => [words.join(' ')] as const))('npm %s is a command of npm', (line) => {
    expect(line).toMatch(/^(ci|test|link|install|run [a-z:]+)\b/);
    if (line === 'test') expect(scripts).toHaveProperty('test');
  });

  it('names no other program than those that are tried or belong to the system', () => {
    const programs = new Set(blocks.map((line) => line.replace(/^sudo /, '').split(' ')[0]));
    expect([...programs].toSorted()).toEqual(
      [
        'apt',
        'busctl',
        'dmabrokerctl',
        'flatpak',
        'gst-launch-1.0',
        'journalctl',
        'node',
        'npm',
        'systemctl',
      ].toSorted(),
    );
  });

  it('names manuals and files that there are', () => {
    const built = new Map([['./dist/man/org.dmabroker1.5', 'dbus/org.dmabroker1.xml']]);
    const pages = of('man').flatMap(([page = '']) =>
      page.startsWith('./') ? [built.get(page) ?? page] : [manualOf(page)],
    );
    expect(pages.length).toBeGreaterThan(3);
    const linked = [...README.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path);
    const named = inline.filter((text) => /^(?:policy|systemd|dbus|test)\/\S*$/.test(text));
    const used = blocks
      .flatMap((line) => line.match(/\btest\/\S+\.json/g) ?? [])
      .filter((path) => !path.includes('*'));
    for (const path of [...pages, ...linked, ...named, ...used])
      expect([path, existsSync(at(path))]).toEqual([path, true]);
  });

  it('leads to sections that there are', () => {
    for (const [, file = '', anchor = ''] of README.matchAll(/\]\(([^)#]*)#([^)]*)\)/g)) {
      const text = file === '' ? README : readFileSync(at(file), 'utf8');
      const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
      expect(headings).toContain(anchor);
    }
  });

  it('explains what every refusal means, by its code', () => {
    const [, table = ''] = /^## When something does not work$([^]*?)^## /m.exec(README) ?? [];
    const codes = { ...ERRORS, ...CLIENT_ERRORS };
    const named = [...table.matchAll(/^\| ([^|]*)/gm)].flatMap(([, symptom = '']) =>
      [...symptom.matchAll(/`([A-Z]\w+)`/g)].map(([, code = '']) => code),
    );
    const known = named.filter((code) => code !== 'MaxBuffer' && code !== 'ENOMEM');
    expect(known.length).toBeGreaterThan(6);
    for (const code of known) expect(Object.keys(codes)).toContain(code);
  });

  it('names functions that the library has', () => {
    const named = inline.flatMap((text) => /^(\w+)\(\)$/.exec(text)?.[1] ?? []);
    const methods = ['allocate', 'release', 'close'];
    expect(named).toContain('linuxDmabufParams');
    const header = readFileSync(at('client/c/dmabroker.h'), 'utf8');
    const functions = [...header.matchAll(/\b(dmabroker_\w+)\(/g)].map(([, name]) => name);
    const known = [...Object.keys(library), ...methods, ...functions];
    for (const name of named) expect(known).toContain(name);
  });

  it('asks busctl for what the contract has', () => {
    const xml = readFileSync(at('dbus/org.dmabroker1.xml'), 'utf8');
    for (const words of of('busctl')) {
      const [, name, member] = / (org\.dmabroker1\.\w+) (\w+)/.exec(` ${words.join(' ')}`) ?? [];
      if (name === undefined) continue;
      expect(xml).toContain(`<interface name="${name}">`);
      expect(xml).toContain(`<method name="${member ?? ''}">`);
    }
  });
});

describe('what README.md has one look at', () => {
  /** A first look, word for word; `# cannot be had` says that the answer is a no. */
  const looks = [...README.matchAll(/^```sh\n([^]*?)^```$/gm)]
    .flatMap(([, text = '']) =>
      text
        .replaceAll(/\\\n\s*/g, '')
        .trimEnd()
        .split('\n'),
    )
    .filter((line) => /^(?:dmabrokerctl|busctl|node dist\/client\/cli\/main\.js) /.test(line))
    // Nothing is written into the checkout.
    .map((line) => line.replace('machines.svg', '/dev/null'));
  const hasBusctl = ensure(['systemd'], { optional: true });
  const directory = new TemporaryDirectory();
  let bus: PrivateBus;
  let daemon: RunningDaemon;
  beforeAll(async () => {
    bus = await startBus();
    daemon = await startDaemon({ bus, args: ['--profile', at('test/fixtures/profiles/steam-deck.json')] });
    const program = join(directory.path, 'dmabrokerctl');
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${at('dist/client/cli/main.js')}' "$@"\n`);
    chmodSync(program, 0o755);
  });
  afterAll(async () => {
    await daemon.stop();
    await bus.stop();
    directory[Symbol.dispose]();
  });

  it('a first program with the library, word for word', async () => {
    const [, program = ''] = /^```js\n([^]*?)^```$/m.exec(README) ?? [];
    const place = join(directory.path, 'program');
    mkdirSync(join(place, 'node_modules'), { recursive: true });
    // As `npm install PATH` leaves it.
    symlinkSync(at(''), join(place, 'node_modules/dmabroker'));
    writeFileSync(join(place, 'first.mjs'), program);
    const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: bus.address };
    const run = promisify(execFile)(process.execPath, ['first.mjs'], { cwd: place, env });
    expect(await run).toMatchObject({ stderr: '', stdout: expect.stringContaining('2560') as string });
  });

  it.skipIf(!hasBusctl).each(looks)('%s', async (line) => {
    const env = {
      ...process.env,
      PATH: `${directory.path}:${process.env['PATH'] ?? ''}`,
      DBUS_SYSTEM_BUS_ADDRESS: bus.address,
      DBUS_SESSION_BUS_ADDRESS: bus.address,
    };
    const child = spawn('sh', ['-c', line], { cwd: at(''), env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as readonly unknown[];
    const wrote = line.includes('--svg') ? 'wrote /dev/null\n' : '';
    expect({ code, stderr }).toEqual({ code: line.includes('# cannot be had') ? 1 : 0, stderr: wrote });
    expect(stdout).not.toBe('');
  });
});

/** Source of an installed page. */
function manualOf(name: string): string {
  const files = ['client/man', 'policy', 'systemd'].flatMap((folder) =>
    readdirSync(at(folder)).map((file) => `${folder}/${file}`),
  );
  const is = new RegExp(`/${name.replaceAll('.', '\\.')}\\.[1-8]$`);
  return files.find((file) => is.test(file)) ?? `no page ${name}`;
}
