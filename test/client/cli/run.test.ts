import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { absenceText } from '../../../client/cli/absence.js';
import { VERBS } from '../../../client/cli/verbs/index.js';
import { DmabrokerError } from '../../../client/errors.js';
import { BusCallError } from '../../../dbus/connection/bus-types.js';
import type { WireValue } from '../../../dbus/connection/bus-types.js';
import { inventoryFromProfile } from '../../../daemon/devices/profile/read.js';
import { POOL_INTERFACE, ROOT_PATH } from '../../../dbus/names.js';
import { startBus, type PrivateBus } from '../../harness/private-bus.js';
import {
  allocation,
  constraint,
  explaining,
  granting,
  lacking,
  objects,
  pool,
  refusing,
  shortfall,
  startPeer,
  type Peer,
} from '../peer.js';
import { dmabrokerctl, type ProgramOptions } from './program.js';
import { naming } from '../../harness/naming.js';

describe('help', () => {
  it.each([40, 80, 200])('fits into %d columns', async (columns) => {
    for (const words of [['--help'], ...VERBS.map(({ name }) => [...name.split(' '), '--help'])]) {
      const { code, stdout, stderr } = await dmabrokerctl(words, { columns });
      expect([code, stderr]).toEqual([0, '']);
      if (columns >= 80)
        for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    }
  });

  it('names every verb, and every option of a verb', async () => {
    const { stdout } = await dmabrokerctl(['--help']);
    for (const { name, summary } of VERBS)
      expect(stdout).toMatch(new RegExp(`^ +${name} +${summary.slice(0, 20)}`, 'm'));
    for (const verb of VERBS) {
      const help = await dmabrokerctl([...verb.name.split(' '), '--help']);
      for (const { name } of verb.options ?? []) expect(help.stdout).toContain(`--${name}`);
    }
  });

  it('is there under each of its names', async () => {
    const { stdout: all } = await dmabrokerctl(['--help']);
    for (const words of [['-h'], ['help'], ['help', '--help']])
      expect(await dmabrokerctl(words)).toEqual({ code: 0, stdout: all, stderr: '' });
    const { stdout: one } = await dmabrokerctl(['policy', 'show', '--help']);
    for (const words of [
      ['help', 'policy', 'show'],
      ['policy', 'show', '-h'],
    ])
      expect(await dmabrokerctl(words)).toEqual({ code: 0, stdout: one, stderr: '' });
  });

  it('says the version', async () => {
    expect(await dmabrokerctl(['--version'])).toEqual({
      code: 0,
      stdout: 'dmabrokerctl 9.8.7\n',
      stderr: '',
    });
  });
});

describe('wrong use', () => {
  it.each([
    [[], 'status', 'devices'],
    [['statsu'], "'statsu'", 'status?'],
    [['status', '--jsn'], '--json?'],
    [['allocate', '--device', 'cpu:raed', '--size', '1'], 'read?'],
    [['allocate', '--device', 'cpu:pitchmultiple=4', '--size', '1'], 'pitch-multiple?'],
    [['status', '--depth'], "'--depth'"],
    [['pools', '--bus'], "'--bus"],
    [['devices', 'a', 'b'], "'b'"],
    [['status', 'a'], "'a'"],
    [['release'], 'ALLOCATION'],
    [['release', 'a b'], "'a b'"],
    [['set-limit', 'a1'], 'BYTES'],
    [['set-limit', 'a1', 'much'], 'BYTES', "'much'"],
    [['allocate', '--size', '1'], '--device'],
    [['allocate', '--device', 'cpu'], '--width', '--height', '--format', '--size'],
    [
      ['allocate', '--device', 'cpu', '--width', '1', '--height', '1'],
      '--width',
      '--height',
      '--format',
      '--size',
    ],
    [
      ['explain', '--device', 'cpu', '--size', '1', '--format', 'XR24'],
      '--size',
      '--width',
      '--height',
      '--format',
    ],
    [
      ['explain', '--device', 'cpu', '--size', '1', '--modifier', 'LINEAR'],
      '--size',
      '--width',
      '--height',
      '--format',
    ],
    [['explain', '--device', 'cpu', '--size', '1', 'more'], "'more'"],
    [['allocate', '--device', 'cpu', '--size', '1', '--hold', 'on'], '--hold', "'on'"],
    [['allocate', '--device', 'cpu', '--size', '1', '--hold', '-1'], '--hold'],
    [['allocate', '--device', 'cpu', '--size', '1', '--hold', '1', '--', 'true'], '--hold'],
  ])('%j', async (argv, ...named: string[]) => {
    const { code, stdout, stderr } = await dmabrokerctl(argv);
    expect(stderr).toMatch(/^dmabrokerctl: .*\ndmabrokerctl .*--help\b.*\n$/);
    expect(stderr.split('\n')[0]).toMatch(naming(...named));
    expect([code, stdout]).toEqual([2, '']);
  });
});

describe('with nobody to ask', () => {
  it('there is no bus', async () => {
    const { code, stdout, stderr } = await dmabrokerctl(['--bus', 'unix:path=/nowhere', 'status']);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^dmabrokerctl: .*\bunix:path=\/nowhere\b.*--bus\b.*\n$/);
  });

  it('there is no daemon', async () => {
    await using bus = await startBus();
    const { code, stdout, stderr } = await dmabrokerctl(['--bus', bus.address, 'status']);
    expect([code, stdout]).toEqual([3, '']);
    // A bus that is neither the system's nor the session's has no service.
    expect(stderr).toContain(`dmabrokerd --bus ${bus.address}`);
  });

  const absence = (argv: readonly string[], hasSystemd: boolean, spawn?: string) =>
    absenceText(
      new DmabrokerError('NoDaemon', 'none', {
        cause:
          spawn === undefined
            ? undefined
            : new BusCallError('org.freedesktop.DBus.Error.Spawn.ExecFailed', spawn),
      }),
      { argv, hasSystemd },
    );

  it('says how a daemon is started on that bus, with that init system', () => {
    expect(absence([], true)).toContain('systemctl start dmabrokerd');
    expect(absence(['--bus', 'session'], true)).toMatch(/dmabrokerd --bus session(?!.*systemctl)/);
    expect(absence([], false)).toMatch(/without systemd(?!.*systemctl)/);
    expect(absence([], false, 'no such program')).toContain('no such program');
  });
});

describe('record', () => {
  it('writes a profile that the daemon reads, to stdout or a file, without a daemon', async () => {
    const { code, stdout } = await dmabrokerctl(['record']);
    expect(code).toBe(0);
    const { inventory } = inventoryFromProfile(stdout, 'recorded');
    expect(inventory.machine.ram.value).toBeGreaterThan(0n);
    expect(inventory.devices.map(({ node }) => node)).toContain('cpu');

    const directory = mkdtempSync(join(tmpdir(), 'dmabrokerctl-'));
    try {
      const file = join(directory, 'profile.json');
      expect(await dmabrokerctl(['record', file])).toMatchObject({ code: 0, stdout: '' });
      expect(inventoryFromProfile(readFileSync(file, 'utf8'), file).inventory.machine).toEqual(
        inventory.machine,
      );
      expect(await dmabrokerctl(['record', join(directory, 'no', 'where')])).toMatchObject({ code: 2 });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('with a daemon', () => {
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
    peer.answers.set('GetManagedObjects', objects(pool('a1'), allocation('x7', ':1.9')));
    peer.answers.set('Allocate', granting());
    peer.calls.length = 0;
  });

  const ctl = (argv: readonly string[], options?: ProgramOptions) =>
    dmabrokerctl(['--bus', bus.address, ...argv], options);

  it('tells a refusal by its message and code 1', async () => {
    peer.answers.set('Release', refusing('UnknownAllocation', 'no such allocation'));
    const { code, stdout, stderr } = await ctl(['release', 'x7']);
    expect([code, stdout, stderr]).toEqual([1, '', 'dmabrokerctl: no such allocation\n']);
    expect(peer.calls).toContainEqual({ member: 'Release', body: [`${ROOT_PATH}/allocation/x7`] });
  });

  it('does not let a message steer the terminal', async () => {
    peer.answers.set('Release', refusing('UnknownAllocation', 'no\u{1b}[2J such'));
    expect((await ctl(['release', 'x7'])).stderr).toBe('dmabrokerctl: no\u{fffd}[2J such\n');
  });

  it.each([
    [{ columns: 80 }, true],
    [{ columns: 80, env: { NO_COLOR: '1' } }, false],
    [{ columns: 80, env: { NO_COLOR: '' } }, true],
    [{ columns: 80, env: { TERM: 'dumb' } }, false],
    [{}, false],
  ])('colours: %j', async (options, coloured) => {
    const { stdout } = await ctl(['pools'], options);
    expect(stdout.includes('\u{1b}[')).toBe(coloured);
    expect(stdout).toContain('a1');
  });

  it('advises what mends a shortfall, where there is one', async () => {
    const text = 'contiguous memory: too little: add `cma=64M`';
    peer.answers.set('GetAll', lacking([shortfall(text, 'add `cma=64M`')]));
    expect(await ctl(['advise'])).toEqual({ code: 0, stdout: `${text}\n`, stderr: '' });
    expect(JSON.parse((await ctl(['advise', '--json'])).stdout)).toEqual([
      { class: 'contiguous', asked: 61_651_200, available: 33_554_432, text, mend: 'add `cma=64M`' },
    ]);
    peer.answers.set('GetAll', lacking([]));
    expect((await ctl(['advise'])).stdout).toBe('The machine has all that policy asks for.\n');
  });

  it('finds a pool by its class', async () => {
    peer.answers.set('SetPoolLimit', (call) => {
      call.reply();
    });
    const { code, stdout } = await ctl(['set-limit', 'plain', '8MiB']);
    expect([code, stdout]).toEqual([0, 'Pool a1 may hold 8 MiB.\n']);
    expect(peer.calls).toContainEqual({ member: 'SetPoolLimit', body: ['a1', 8_388_608n] });
    expect(await ctl(['set-limit', 'device', '8MiB'])).toMatchObject({ code: 1 });
    peer.answers.set('GetManagedObjects', objects(pool('a1'), pool('b2')));
    expect(await ctl(['set-limit', 'plain', '8MiB'])).toMatchObject({ code: 1 });
    expect(await ctl(['set-limit', 'plain:b2', '8MiB'])).toMatchObject({ code: 0 });
    expect(await ctl(['set-limit', 'b2', '8MiB'])).toMatchObject({ code: 0 });
  });

  describe('allocate', () => {
    const CPU = ['allocate', '--device', 'cpu:read', '--size', '4K'];
    const released = (): boolean => peer.calls.some(({ member }) => member === 'Release');

    it('holds until stdin ends', async () => {
      const { code, stdout } = await ctl(CPU, { stdin: 'ignored' });
      expect(code).toBe(0);
      expect(stdout).toMatch(/^allocation +\/org\/dmabroker1\/allocation\/one$/m);
      expect(released()).toBe(true);
    });

    it('holds for so long', async () => {
      expect(await ctl([...CPU, '--hold', '0'])).toMatchObject({ code: 0 });
      expect(released()).toBe(true);
    });

    it('holds until it is stopped', async () => {
      const stop = new AbortController();
      const ended = ctl(CPU, {
        stop: stop.signal,
        onOutput: () => {
          expect(released()).toBe(false);
          stop.abort();
        },
      });
      expect(await ended).toMatchObject({ code: 0, stderr: '' });
      expect(released()).toBe(true);
    });

    it('ends when the bus does', async () => {
      const other = await startBus();
      const there = await startPeer(other.address);
      there.answers.set('Allocate', granting());
      const ended = dmabrokerctl(['--bus', other.address, ...CPU], {
        onOutput: () => {
          void other.stop();
        },
      });
      expect(await ended).toMatchObject({ code: 3 });
    });

    it('runs a command that inherits the buffers, and passes its code on', async () => {
      const script = `
        const { readFileSync, fstatSync } = require('node:fs');
        const layout = JSON.parse(process.env.DMABROKER_LAYOUT);
        const fds = Number(process.env.DMABROKER_FDS);
        for (let fd = 3; fd < 3 + fds; fd++) if (fstatSync(fd).size !== layout.size) process.exit(1);
        process.exit(40 + fds);`;
      const argv = [...CPU, '--count', '2', '--', process.execPath, '-e', script];
      expect(await ctl(argv, { env: process.env })).toMatchObject({ code: 42, stdout: '' });
      expect(released()).toBe(true);
    });

    it('gives the buffers back when the command cannot be started', async () => {
      const { code, stderr } = await ctl([...CPU, '--', '/nowhere/program']);
      expect([code, stderr]).toEqual([2, expect.stringMatching(naming('/nowhere/program', 'ENOENT'))]);
      expect(released()).toBe(true);
    });
  });

  describe('explain', () => {
    const CPU = ['explain', '--device', 'cpu:read', '--size', '10'];
    const multiple = constraint('size-multiple', 't', 4096n);
    const clash = [constraint('pitch-max', 'u', 100), constraint('pitch-multiple', 'u', 256)];

    it('marks what decided', async () => {
      peer.answers.set('Explain', explaining([multiple, constraint('reach', 'as', ['a1'])], []));
      const { code, stdout } = await ctl(CPU);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^CONSTRAINT +VALUE +SOURCE +DECIDES\n0: cpu\n/m);
      expect(stdout).toMatch(/^ {2}size-multiple +4 KiB +client +size$/m);
      expect(stdout).toMatch(/^ {2}reach +plain +client$/m);
    });

    it('shows the smallest clash first, marks it among all, and ends with 1', async () => {
      peer.answers.set('Explain', explaining([multiple, ...clash], clash));
      const { code, stdout } = await ctl(CPU);
      expect(code).toBe(1);
      const [why, first, all] = stdout.split('\n\n').filter((part) => !part.startsWith('Leave'));
      expect(why?.split('\n')).toHaveLength(1);
      expect(first?.split('\n')).toHaveLength(4);
      expect(all).toMatch(/^ {2}size-multiple +4 KiB +client$/m);
      expect(all).toMatch(/^ {2}pitch-multiple +256 +client +conflict$/m);
      expect(stdout).toContain('Leave it.');
    });

    it('has the whole answer in JSON', async () => {
      peer.answers.set('Explain', explaining(clash, clash));
      const { code, stdout } = await ctl(['--json', ...CPU]);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        feasible: false,
        conflicts: [{ value: 100 }, { value: 256 }],
      });
    });
  });

  describe('monitor', () => {
    /** Runs the monitor, and adds pools until it has printed one. */
    async function monitored(
      flags: readonly string[] = [],
      terminal: Pick<ProgramOptions, 'columns'> = {},
    ): Promise<{ code: number; stdout: string }> {
      const stop = new AbortController();
      let printed = '';
      const ended = ctl([...flags, 'monitor'], {
        ...terminal,
        stop: stop.signal,
        onOutput: (stdout) => {
          printed = stdout;
        },
      });
      for (let index = 0; printed === ''; index++) {
        peer.bus.emit({
          path: ROOT_PATH,
          interface: 'org.freedesktop.DBus.ObjectManager',
          member: 'InterfacesAdded',
          signature: 'oa{sa{sv}}',
          body: pool(`new${index}`) as readonly WireValue[],
        });
        await nextTurn();
      }
      stop.abort();
      return ended;
    }

    it('prints a line for each change', async () => {
      const { code, stdout } = await monitored();
      expect(code).toBe(0);
      expect(stdout).toMatch(/^(\d\d:\d\d:\d\d \+ pool new\d+ {2}.*\bplain\b.*\b1 GiB\n)+$/);
    });

    it('marks each with its colour on a terminal', async () => {
      const { stdout } = await monitored([], { columns: 80 });
      const visible = stdout.replaceAll('\u{1b}', 'ESC');
      expect(visible).toMatch(/^(\d\d:\d\d:\d\d ESC\[32m\+ESC\[0m pool new\d+ {2}.*\bplain\b.*\b1 GiB\n)+$/);
    });

    it('says what is another now, in the units of a person', async () => {
      peer.answers.set('GetManagedObjects', objects(pool('a1', 4096n)));
      const stop = new AbortController();
      let printed = '';
      const ended = ctl(['monitor'], {
        stop: stop.signal,
        onOutput: (stdout) => {
          printed = stdout;
        },
      });
      for (let live = 1n; printed === ''; live += 1n) {
        const changed = [
          ['Live', { signature: 't', value: live << 20n }],
          ['Hits', { signature: 't', value: live }],
        ];
        peer.bus.emit({
          path: `${ROOT_PATH}/pool/a1`,
          interface: 'org.freedesktop.DBus.Properties',
          member: 'PropertiesChanged',
          signature: 'sa{sv}as',
          body: [POOL_INTERFACE, changed, []] as readonly WireValue[],
        });
        await nextTurn();
      }
      stop.abort();
      await ended;
      expect(printed.split('\n')[0]).toMatch(/~ pool a1 {2}live (4 KiB|\d+ MiB) → \d+ MiB, hits \d+ → \d+$/);
    });

    it('prints a document in a line for each change', async () => {
      const { code, stdout } = await monitored(['--json']);
      expect(code).toBe(0);
      expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({
        time: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
        change: 'added',
        object: { kind: 'pool', handle: expect.stringMatching(/^new/) as unknown, limit: 2 ** 30 },
      });
    });

    it('ends with 3 when the bus does', async () => {
      const other = await startBus();
      await startPeer(other.address);
      const ended = dmabrokerctl(['--bus', other.address, 'monitor'], {
        onOutput: (_, stderr) => {
          if (stderr.startsWith('Watching')) void other.stop();
        },
      });
      expect(await ended).toMatchObject({ code: 3 });
    });
  });
});
