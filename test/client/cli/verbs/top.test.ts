import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { WireDict } from '../../../../dbus/connection/bus-types.js';
import { POOL_INTERFACE, ROOT_PATH } from '../../../../dbus/names.js';
import { startBus, type PrivateBus } from '../../../harness/private-bus.js';
import { startInTerminal, type Terminal } from '../../../harness/terminal.js';
import { ensure } from '../../../tools/ensure.mjs';
import { allocation, objects, pool, startPeer, type Peer } from '../../peer.js';
import { dmabrokerctl } from '../program.js';

const MAIN = fileURLToPath(new URL('../../../../dist/client/cli/main.js', import.meta.url));
const ENTERED = /\[\?1049h/;
/** The last word to the terminal: no other screen, a cursor, and lines that wrap. */
const LEFT = /\[\?7h[^]*\[\?25h[^]*\[\?1049l(?![^]*\[\?1049h)/;

let bus: PrivateBus;
let peer: Peer;
beforeAll(async () => {
  bus = await startBus();
  peer = await startPeer(bus.address);
});
afterAll(async () => {
  await peer.leave();
  await bus.stop();
});
beforeEach(() => {
  peer.answers.set('GetManagedObjects', objects(pool('a1', 4096n), allocation('x7', ':1.9')));
  peer.calls.length = 0;
});

const emitPool = (changed: WireDict): void => {
  peer.bus.emit({
    path: `${ROOT_PATH}/pool/a1`,
    interface: 'org.freedesktop.DBus.Properties',
    member: 'PropertiesChanged',
    signature: 'sa{sv}as',
    body: [POOL_INTERFACE, changed, []],
  });
};

describe('where stdout is no terminal', () => {
  it('prints what there is, and ends', async () => {
    const { code, stdout, stderr } = await dmabrokerctl(['--bus', bus.address, 'top']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^dmabroker 1\.2\.3: 0 buffers/);
    expect(stdout).toMatch(/^plain +4 KiB +1 GiB +-+ +0 % +0 B +0$/m);
    expect(stdout).toMatch(/^:1\.9 +1000 +held +1 +4 KiB +0$/m);
  });

  it('asks polkit for those of others, on the connection that watches', async () => {
    expect(await dmabrokerctl(['--bus', bus.address, 'top', '--all'])).toMatchObject({ code: 0 });
    expect(peer.calls.map(({ member }) => member)).toEqual(['GetManagedObjects', 'GetManagedObjects']);
  });

  it('writes a picture a line in JSON, at once and when anything changes', async () => {
    const stop = new AbortController();
    let hits = 0n;
    const ended = dmabrokerctl(['--bus', bus.address, '--json', 'top'], {
      stop: stop.signal,
      onOutput: (stdout) => {
        if (stdout.split('\n').length > 2) stop.abort();
        else emitPool([['Hits', { signature: 't', value: (hits += 7n) }]]);
      },
    });
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    const [first, second] = stdout.split('\n').map((line) => JSON.parse(line || 'null') as unknown);
    expect(first).toMatchObject({
      time: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
      broker: { kind: 'broker', version: '1.2.3' },
      pools: [{ handle: 'a1', live: 4096, hits: 0, hitsPerSecond: 0, missesPerSecond: 0 }],
      owners: [{ owner: ':1.9', user: 1000, state: 'held', allocations: 1, buffers: 1, size: 4096 }],
    });
    expect(second).toMatchObject({ pools: [{ hits: 7 }] });
    expect((second as { pools: { hitsPerSecond: number }[] }).pools[0]?.hitsPerSecond).toBeGreaterThan(0);
  });

  it('writes one line with --once', async () => {
    const { code, stdout } = await dmabrokerctl(['--bus', bus.address, '--json', 'top', '--once']);
    expect([code, stdout.split('\n').length]).toEqual([0, 2]);
  });

  it('takes a dumb terminal for none', async () => {
    const { code, stdout } = await dmabrokerctl(['--bus', bus.address, 'top'], {
      columns: 80,
      env: { TERM: 'dumb' },
    });
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u{1b}');
  });
});

describe.runIf(ensure(['bsdutils'], { optional: true }))('in a terminal', () => {
  const start = (env: NodeJS.ProcessEnv = {}, address = bus.address): Promise<Terminal> =>
    startInTerminal([process.execPath, MAIN, '--bus', address, 'top'], { columns: 80, rows: 24, env });

  it.each([
    [
      'q',
      (terminal: Terminal) => {
        terminal.type('q');
      },
    ],
    [
      'Ctrl-C',
      (terminal: Terminal) => {
        terminal.type('\u{3}');
      },
    ],
    ['SIGINT', (terminal: Terminal) => process.kill(terminal.pid, 'SIGINT')],
    ['SIGTERM', (terminal: Terminal) => process.kill(terminal.pid, 'SIGTERM')],
    ['SIGHUP', (terminal: Terminal) => process.kill(terminal.pid, 'SIGHUP')],
  ])('ends with %s, and leaves the terminal as it was', async (_, end) => {
    await using terminal = await start();
    await terminal.shows(/q ends/);
    expect(terminal.output()).toMatch(ENTERED);
    end(terminal);
    expect(await terminal.exited).toEqual({ code: 0, modes: 'as before' });
    expect(terminal.output()).toMatch(LEFT);
  });

  it('ends with 3 when the bus does, says why, and leaves the terminal as it was', async () => {
    const other = await startBus();
    await startPeer(other.address);
    await using terminal = await start({}, other.address);
    await terminal.shows(/q ends/);
    await other.stop();
    expect(await terminal.exited).toEqual({ code: 3, modes: 'as before' });
    expect(terminal.output()).toMatch(LEFT);
    expect(terminal.output().split('[?1049l')[1]).toContain('dmabrokerctl: ');
  });

  it('gives the terminal back at Ctrl-Z, and takes it again', async () => {
    await using terminal = await start();
    await terminal.shows(/q ends/);
    terminal.type('\u{1a}');
    await terminal.shows(/\[\?1049l[^]*\[\?1049h[^]*q ends/);
    terminal.type('q');
    expect(await terminal.exited).toEqual({ code: 0, modes: 'as before' });
  });

  it('shows a change when it is told of it, and says when there is no daemon', async () => {
    const other = await startBus();
    const there = await startPeer(other.address);
    there.answers.set('GetManagedObjects', objects(pool('a1')));
    await using terminal = await start({}, other.address);
    await terminal.shows(/q ends/);
    there.bus.emit({
      path: `${ROOT_PATH}/pool/a1`,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'PropertiesChanged',
      signature: 'sa{sv}as',
      body: [POOL_INTERFACE, [['Live', { signature: 't', value: 900n << 20n }]], []],
    });
    await terminal.shows(/plain +900 MiB/);
    expect(there.calls.map(({ member }) => member)).toEqual(['GetManagedObjects']);
    await there.leave();
    await terminal.shows(/No daemon on this bus; waiting for one\./);
    await using again = await startPeer(other.address);
    await terminal.shows(/waiting for one\.[^]*dmabroker 1\.2\.3/);
    expect(again.calls.length).toBeGreaterThan(0);
    terminal.type('q');
    expect(await terminal.exited).toMatchObject({ code: 0 });
    await other.stop();
  });

  it('has no colours where nobody wants any', async () => {
    for (const [env, colours] of [
      [{}, true],
      [{ NO_COLOR: '1' }, false],
    ] as const) {
      await using terminal = await start(env);
      await terminal.shows(/q ends/);
      expect(/\[[0-9]+m/.test(terminal.output())).toBe(colours);
      terminal.type('q');
      await terminal.exited;
    }
  });
});
