import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { examples, type Example } from './examples.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROFILE = fileURLToPath(new URL('../fixtures/profiles/intel-laptop.json', import.meta.url));
const ALL = examples();

it('there are examples', () => {
  expect(ALL.length).toBeGreaterThan(5);
});

it('all examples have the types that the library says', () => {
  expect(typeErrors(ALL)).toEqual([]);
});

describe('every example does what it says', () => {
  let bus: PrivateBus;
  let daemon: RunningDaemon;
  beforeAll(async () => {
    bus = await startBus();
    daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
  });
  afterAll(async () => {
    await daemon.stop();
    await bus.stop();
  });

  it.each(ALL.map((example) => [example.where, example] as const))('%s', async (_, { code, prints }) => {
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    });
    const child = spawn(process.execPath, ['--input-type=module', '--eval', outputText], {
      cwd: ROOT,
      env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: bus.address },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(stderr).toBe('');
    expect(await ended).toBe(0);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining([...prints]));
  });
});

/** What the compiler has against the examples, as a user of the package would see it. */
function typeErrors(all: readonly Example[]): readonly string[] {
  const sources = new Map(all.map(({ code }, index) => [`${ROOT}test/client/example-${index}.mts`, code]));
  const read = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, ROOT);
  const checked: ts.CompilerOptions = {
    ...options,
    noEmit: true,
    incremental: false,
    paths: { dmabroker: [`${ROOT}client/index.ts`] },
  };
  delete checked.tsBuildInfoFile;
  const host = ts.createCompilerHost(checked);
  const files = { ...host };
  files.fileExists = (name) => sources.has(name) || host.fileExists(name);
  files.readFile = (name) => sources.get(name) ?? host.readFile(name);
  files.getSourceFile = (name, target, ...rest) => {
    const source = sources.get(name);
    return source === undefined
      ? host.getSourceFile(name, target, ...rest)
      : ts.createSourceFile(name, source, target);
  };
  const program = ts.createProgram([...sources.keys()], checked, files);
  return [...sources.keys()].flatMap((name, index) => {
    const file = program.getSourceFile(name);
    const errors = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return errors.map(
      ({ messageText }) =>
        `${all[index]?.where ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  });
}
