import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';

import { expect, test } from 'vitest';

import { connectBus } from '../../dbus/connection/bus.js';
import { endChild, startBus } from '../harness/private-bus.js';

const BUILT = new URL('../../dist/dbus/connection/bus.js', import.meta.url);

/** A program with nothing but a connection, as it is built; it says its name, and why the connection ended. */
const PROGRAM = `
import { connectBus } from ${JSON.stringify(BUILT.href)};
const bus = await connectBus(process.argv[1]);
bus.handleCalls((call) => { call.reply(); if (call.member === 'Close') void bus.close(); });
console.log(bus.uniqueName);
console.log((await bus.closed)?.name ?? 'closed');
`;

async function start(address: string): Promise<{ child: ChildProcess; name: string; output: () => string }> {
  if (!existsSync(BUILT)) throw new Error('the connection is not built: npm run build');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM, address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(child.stdout, 'data');
  return { child, name: output.trim(), output: () => output };
}

test('an idle process lives as long as its connection, learns that the bus has gone, and then ends', async () => {
  await using bus = await startBus();
  const { child, name, output } = await start(bus.address);
  const client = await connectBus(bus.address);
  const call = { destination: name, path: '/a', interface: 'a.b', member: 'Ping' };
  // It had nothing to do but wait; had it ended, there would be nobody to answer.
  await client.call(call);
  expect(child.exitCode).toBeNull();
  await client.close();
  const ended = once(child, 'close');
  await bus.stop();
  expect(await ended).toEqual([0, null]);
  expect(output()).toContain('BusClosedError');
});

test('a process that closes its connection ends', async () => {
  await using bus = await startBus();
  const { child, name, output } = await start(bus.address);
  const client = await connectBus(bus.address);
  const ended = once(child, 'close');
  await client.call({ destination: name, path: '/a', interface: 'a.b', member: 'Close' });
  expect(await ended).toEqual([0, null]);
  expect(output()).toContain('closed');
  await client.close();
  await endChild(child);
});
