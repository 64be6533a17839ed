import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { MachineState } from '../../../daemon/broker/options.js';
import { CPU_DEVICE } from '../../../daemon/devices/inventory.js';
import { ANYTHING, DEVICES, type Change } from '../../../daemon/devices/watch/change.js';
import { Follower } from '../../../daemon/service/follower.js';
import type { Look } from '../../../daemon/service/live-machine.js';
import { until } from '../../harness/gate.js';
import { FakeHeap } from '../fake-heap.js';
import { CAMERA, GPU, machine, policyOf, SYSTEM } from '../machine.js';
import { naming } from '../../harness/naming.js';

const POLICY = policyOf('');
const HEAP = new FakeHeap(SYSTEM.id);

const state = (devices = [CPU_DEVICE], heaps = [HEAP]): MachineState => ({
  inventory: machine([SYSTEM], devices),
  heaps,
  warnings: [],
});
const FIRST: MachineState & Pick<Look, 'refused'> = { ...state(), refused: [] };

const lookOf = (more: Partial<Look> = {}): Look => ({
  state: FIRST,
  isNew: true,
  refused: [],
  unsettled: new Set(),
  ...more,
});

let asked: Change[];
let answers: (() => Promise<Look>)[];
let adopted: MachineState[];
let attended: string[][];
let logged: object[];
let watching: boolean;
let running: number;
let changed: (change: Change) => void;
let follower: Follower;

beforeEach(() => {
  [asked, answers, adopted, attended, logged] = [[], [], [], [], []];
  [watching, running] = [false, 0];
});
afterEach(() => {
  follower[Symbol.dispose]();
});

const say =
  (level: 'info' | 'warn' | 'error') =>
  (details: object, text: string): void =>
    void logged.push({ level, ...details, text });

function start(first = FIRST, adopt = (next: MachineState): void => void adopted.push(next)): void {
  follower = new Follower({
    machine: {
      look: async (change, policy) => {
        expect(policy).toBe(POLICY);
        expect(running).toBe(0);
        running += 1;
        asked.push(change);
        try {
          return await (answers.shift() ?? (() => Promise.resolve(lookOf({ isNew: false }))))();
        } finally {
          running -= 1;
        }
      },
    },
    first,
    watch: (tell) => {
      watching = true;
      changed = tell;
      return {
        attend: (nodes) => void attended.push([...nodes]),
        [Symbol.dispose]: () => void (watching = false),
      };
    },
    policy: () => POLICY,
    adopt,
    log: { info: say('info'), warn: say('warn'), error: say('error') },
  });
}

/** Answers in order, each with the look after the one at the beginning. */
const settled = (): Promise<void> => until(() => running === 0 && answers.length === 0);

describe('Follower', () => {
  it('looks at once for what came before anybody watched', async () => {
    start();
    await settled();
    expect([asked, adopted, watching]).toEqual([[DEVICES], [], true]);
  });

  it('has what is new taken over, and says what came and went', async () => {
    const [one, two] = [state([CPU_DEVICE, GPU]), state([CPU_DEVICE, CAMERA])];
    answers = [one, two].map((next) => () => Promise.resolve(lookOf({ state: next })));
    start();
    await until(() => adopted.length === 1);
    changed(ANYTHING);
    await settled();
    expect(adopted).toEqual([one, two]);
    expect(asked).toEqual([DEVICES, ANYTHING]);
    expect(logged).toMatchObject([
      { level: 'info', event: 'devices-changed', came: [GPU.node], went: [] },
      { level: 'info', event: 'devices-changed', came: [CAMERA.node], went: [GPU.node] },
    ]);
  });

  it('has the machine without what was replaced taken over before the one with it', async () => {
    const between = state([CPU_DEVICE], []);
    answers = [() => Promise.resolve(lookOf({ between }))];
    start();
    await settled();
    expect(adopted).toEqual([between, FIRST]);
  });

  it('looks once at a time, and once more for all that changed meanwhile', async () => {
    let go = (): void => undefined;
    answers = [
      () =>
        new Promise(
          (resolve) =>
            (go = () => {
              resolve(lookOf({ isNew: false }));
            }),
        ),
    ];
    start();
    const displays = ['/dev/dri/card0', '/dev/dri/card1'];
    for (const node of displays) changed({ displays: new Set([node]) });
    changed(DEVICES);
    expect(asked).toHaveLength(1);
    go();
    await until(() => asked.length === 2);
    await settled();
    expect(asked).toEqual([DEVICES, { displays: new Set(displays) }]);
  });

  it('goes on after a look that failed', async () => {
    answers = [() => Promise.reject(new Error('odd')), () => Promise.resolve(lookOf({ state: state([]) }))];
    start();
    await until(() => logged.length === 1);
    expect(logged[0]).toMatchObject({ level: 'error', event: 'machine-unreadable' });
    changed(DEVICES);
    await settled();
    expect(adopted).toHaveLength(1);
  });

  it('goes on when what is new could not be taken over', async () => {
    answers = [() => Promise.resolve(lookOf())];
    start(FIRST, () => {
      throw new Error('a mistake');
    });
    await until(() => logged.length === 1);
    changed(DEVICES);
    await until(() => asked.length === 2);
  });

  it('has the watch attend to what could not be asked, new or not', async () => {
    answers = [() => Promise.resolve(lookOf({ isNew: false, unsettled: new Set(['/dev/video0']) }))];
    start();
    await settled();
    expect(attended).toEqual([['/dev/video0']]);
  });

  it('says of a heap that it cannot be used once, and again when that was different meanwhile', async () => {
    const refused = [{ id: 'udmabuf', reason: 'EACCES' }];
    const other = [{ id: 'udmabuf', reason: 'EMFILE' }];
    answers = [refused, other, other, [], refused].map(
      (list) => () => Promise.resolve(lookOf({ refused: list })),
    );
    start({ ...FIRST, refused });
    for (let i = 2; i <= 5; i++) {
      await until(() => running === 0);
      changed(DEVICES);
    }
    await settled();
    const heap = { level: 'warn', event: 'heap-refused', heap: 'udmabuf' };
    expect(logged.filter((line) => 'heap' in line)).toEqual([
      { ...heap, text: expect.stringMatching(naming('udmabuf', 'EMFILE')) as string },
      { ...heap, text: expect.stringMatching(naming('udmabuf', 'EACCES')) as string },
    ]);
  });

  it('gives back the heaps that a look opened when nobody takes them over any more', async () => {
    const opened = new FakeHeap('udmabuf');
    let go = (): void => undefined;
    const look = lookOf({ state: state([CPU_DEVICE, GPU], [HEAP, opened]) });
    answers = [
      () =>
        new Promise(
          (resolve) =>
            (go = () => {
              resolve(look);
            }),
        ),
    ];
    start();
    follower[Symbol.dispose]();
    changed(DEVICES);
    go();
    await until(() => opened.closed);
    expect([HEAP.closed, adopted, watching, asked.length]).toEqual([false, [], false, 1]);
  });
});
