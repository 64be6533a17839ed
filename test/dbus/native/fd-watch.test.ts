import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { expect, test } from 'vitest';

import { FdWatch, type Readiness } from '../../../dbus/native/fd-watch.js';
import { gate, until } from '../../harness/gate.js';
import { socketPair } from '../../harness/sockets.js';

test('tells what a descriptor is ready for, and only what was asked', async () => {
  const [a, b] = socketPair();
  const seen: Readiness[] = [];
  const watch = new FdWatch(a.number, (ready) => {
    seen.push({ readable: ready.readable, writable: ready.writable });
    watch.watch({ readable: true, writable: false });
  });
  watch.watch({ readable: true, writable: true });
  await until(() => seen.length > 0);
  expect(seen).toEqual([{ readable: false, writable: true }]);
  b.close();
  await until(() => seen.length > 1);
  expect(seen[1]).toEqual({ readable: true, writable: false });
  watch.close();
  a.close();
});

test('nothing comes while nothing is watched, nor after closing', async () => {
  const [a, b] = socketPair();
  let calls = 0;
  const watch = new FdWatch(a.number, () => {
    calls += 1;
  });
  watch.watch({ readable: false, writable: true });
  watch.watch({ readable: false, writable: false });
  const other = gate();
  const witness = new FdWatch(b.number, () => {
    other.open();
  });
  witness.watch({ readable: false, writable: true });
  await other.opened;
  witness.close();
  watch.close();
  watch.watch({ readable: false, writable: true });
  watch.close();
  expect(calls).toBe(0);
  a.close();
  b.close();
});

/** Each byte on stdin is one wake-up, and what is said on stdout brings the next byte. */
const PROGRAM = `
import { readSync, writeSync } from 'node:fs';
const byte = Buffer.alloc(1);
const say = (text) => writeSync(1, text + ';');
let count = 0;
process.on('uncaughtException', (error) => say('uncaught ' + error));
{
  const watch = new FdWatch(0, () => {
    readSync(0, byte);
    count += 1;
    globalThis.gc();
    if (count === 3) throw new Error('thrown');
    Promise.resolve().then(() => {
      say('continued ' + count);
      if (count === 4) watch.close();
    });
  });
  watch.watch({ readable: true, writable: false });
}
say('ready');
`;

// In a process of its own, because anything else that turns the event loop would hide what is missing.
test('promises go on after a wake-up, exceptions surface, and the process lives as long as the watch', async () => {
  const root = new URL('../../../', import.meta.url);
  const source = readFileSync(new URL('dbus/native/fd-watch.ts', root), 'utf8');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  const args = ['--expose-gc', '--input-type=module', '--eval', outputText + PROGRAM];
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(root),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    child.stdin.write('.');
  });
  // It may have ended before the last byte arrives.
  child.stdin.on('error', () => undefined);
  const [code] = (await once(child, 'close')) as [number];
  expect(output).toBe('ready;continued 1;continued 2;uncaught Error: thrown;continued 4;');
  expect(code).toBe(0);
});
