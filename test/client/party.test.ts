import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import type { Broker } from '../../client/broker.js';
import { connect, type DeviceRequest, type Party, type PartyBuffers } from '../../client/index.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { expectNoNewFds, openFds } from '../harness/leaks.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';

const PROFILE = fileURLToPath(new URL('../fixtures/profiles/intel-laptop.json', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const IMAGE = { width: 640, height: 480, formats: ['XR24'] };

/** A program that takes part and holds its buffers. */
const HOLDER = `
import { connect } from 'dmabroker';
const { DMABROKER_BUS: bus, DMABROKER_TOKEN: token } = process.env;
const broker = await connect({ bus });
const party = await broker.join(token);
await party.constrain([[{ device: 'cpu', uses: ['read'], minBuffers: 1 }]]);
const { buffers } = await party.buffers();
console.log(buffers.length);
`;

let bus: PrivateBus;
let daemon: RunningDaemon;
let producer: Broker;
let consumer: Broker;
let before: ReadonlyMap<number, string>;
beforeAll(async () => {
  bus = await startBus();
  daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
});
beforeEach(async () => {
  producer = await connect({ bus: bus.address });
  consumer = await connect({ bus: bus.address });
  before = openFds();
});
afterEach(async () => {
  await producer.close();
  await consumer.close();
});
afterAll(async () => {
  await daemon.stop();
  await bus.stop();
});

/** A program that holds so many buffers at once. */
const holding = (minBuffers: number, more: Partial<DeviceRequest> = {}): readonly DeviceRequest[] => [
  { device: 'cpu', uses: ['read', 'write'], minBuffers, ...more },
];
const inodes = ({ buffers }: PartyBuffers): readonly number[] =>
  buffers.map(({ fd }) => fstatSync(fd.number).ino);

/** The first party has said its needs, and the second has joined. */
async function both(options: Parameters<Party['invite']>[0] = {}): Promise<readonly [Party, Party]> {
  const first = await producer.negotiate(IMAGE);
  const token = await first.invite(options);
  await first.constrain([holding(2)]);
  return [first, await consumer.join(token)];
}

describe('buffers of several parties', () => {
  it('are the same for all, and gone when all have released them and left', async () => {
    const [first, second] = await both({ label: 'viewer' });
    expect(second.state).toBe('asked');
    const waiting = first.buffers();
    await second.constrain([holding(1)], { spare: 1 });
    const [ours, theirs] = [await waiting, await second.buffers()];
    expect(ours.layout).toMatchObject({ width: 640, height: 480, format: 'XR24', count: 4 });
    expect([ours.generation, ours.state, theirs.state]).toEqual([1, 'held', 'held']);
    expect(inodes(theirs)).toEqual(inodes(ours));
    expect(new Set(inodes(ours)).size).toBe(4);
    await ours.buffers[3]?.map({ write: true }, (bytes) => bytes.fill(7));
    expect(await theirs.buffers[3]?.map({ read: true }, (bytes) => bytes[0])).toBe(7);
    await expect.poll(() => second.state).toBe('ready');
    expect(second.held).toBe(4);
    for (const each of [ours, theirs]) await each.release();
    expect(ours.state).toBe('released');
    await second.leave();
    await second.leave();
    await first.leave();
    expect([first.state, second.state]).toEqual(['over', 'over']);
    await expect.poll(() => producer.status()).toMatchObject({ liveBuffers: 0n });
    await expectNoNewFds(before);
  });

  it('may be more than fit into a reply', async () => {
    await using party = await producer.negotiate(IMAGE, { maxBuffers: 64 });
    await party.constrain([holding(1)], { countMin: 40 });
    await using all = await party.buffers();
    expect(new Set(inodes(all)).size).toBe(40);
    expect(all.layout.count).toBe(40);
  });

  it('hold no image where there is a size', async () => {
    await using party = await producer.negotiate({ size: 4096, count: 2, label: 'plain' });
    await party.constrain([[{ device: 'cpu' }]]);
    await using all = await party.buffers();
    expect([all.layout.size, all.buffers.length]).toEqual([4096n, 2]);
    expect((await producer.allocations()).map(({ label }) => label)).toEqual(['plain']);
  });

  it('come later than a call may take, where parties have so long', async () => {
    const impatient = await connect({ bus: bus.address, timeout: 300 });
    onTestFinished(() => impatient.close());
    const party = await impatient.negotiate(IMAGE, { deadline: 600 });
    await party.invite({ part: 'may' });
    await party.constrain([holding(1)]);
    await using all = await party.buffers();
    expect(all.buffers).toHaveLength(1);
  });

  it('are of the first alternative that all can do with', async () => {
    const first = await producer.negotiate(IMAGE);
    const token = await first.invite();
    await first.constrain([holding(1, { pitchExact: 100 }), holding(1)]);
    const second = await consumer.join(token);
    await second.constrain([holding(1, { pitchMultiple: 1024 })]);
    await using all = await first.buffers();
    expect(all.layout).toMatchObject({ planes: [{ pitch: 3072 }] });
    expect((await first.explain()).parties?.map(({ alternative }) => alternative)).toEqual([1, 0]);
  });
});

describe('tokens', () => {
  it('of which one takes part', async () => {
    const first = await producer.negotiate(IMAGE);
    const [one = '', other = ''] = await first.inviteOneOf(2);
    await first.constrain([holding(1)]);
    const [chosen, spare] = [await consumer.join(one), await consumer.join(other)];
    await chosen.constrain([holding(1)]);
    await spare.constrain([holding(1)]);
    await (await chosen.buffers()).release();
    await expect(spare.buffers()).rejects.toMatchObject({ code: 'NotChosen' });
  });

  it.each<[string, () => Promise<string>]>([
    ['was never made', () => Promise.resolve('0'.repeat(32))],
    ['is none', () => Promise.resolve('')],
    [
      'was used',
      async () => {
        const token = await (await producer.negotiate(IMAGE)).invite();
        await consumer.join(token);
        return token;
      },
    ],
    [
      'was withdrawn',
      async () => {
        const party = await producer.negotiate(IMAGE);
        const token = await party.invite();
        await party.withdraw(token);
        return token;
      },
    ],
    [
      'is for another user',
      async () => (await producer.negotiate(IMAGE)).invite({ user: (process.getuid?.() ?? 0) + 1 }),
    ],
  ])('that %s is UnknownToken', async (_what, make) => {
    const token = await make();
    await expect(consumer.join(token)).rejects.toMatchObject({ code: 'UnknownToken' });
  });

  it('let a party in that is late, if the buffers suit it', async () => {
    const [first, second] = await both();
    const tokens = [await first.invite({ part: 'late' }), await first.invite({ part: 'late' })] as const;
    await second.constrain([holding(1)], { countMin: 4 });
    await using ours = await first.buffers();
    const [fits, fitsNot] = [await consumer.join(tokens[0]), await consumer.join(tokens[1])];
    await fits.constrain([holding(1)]);
    await using theirs = await fits.buffers();
    expect(inodes(theirs)).toEqual(inodes(ours));
    await fitsNot.constrain([holding(1, { pitchMultiple: 4096 })]);
    await expect(fitsNot.buffers()).rejects.toMatchObject({ code: 'NotChosen' });
  });
});

describe('renew', () => {
  it('gives all parties other buffers, and tells them', async () => {
    const [first, second] = await both();
    await second.constrain([holding(1)]);
    const [ours, theirs] = [await first.buffers(), await second.buffers()];
    const told = once(second, 'renewed');
    const own: number[] = [];
    first.on('renewed', (generation) => own.push(generation));
    expect(await first.renew({ ...IMAGE, width: 1280 })).toBe(2);
    expect(ours.state).toBe('replaced');
    expect(await told).toEqual([2]);
    await using next = await second.buffers();
    expect(next.layout).toMatchObject({ width: 1280, height: 480, count: 3 });
    expect([theirs.state, next.state, next.generation]).toEqual(['replaced', 'held', 2]);
    // Those of before count until all have closed them.
    expect(second.held).toBe(6);
    await ours.release();
    await theirs.release();
    expect(own).toEqual([]);
  });

  it('leaves the buffers of before when there can be no others', async () => {
    const [first, second] = await both();
    await second.constrain([holding(1)]);
    await using ours = await first.buffers();
    const refused = first.renew(IMAGE, { maxBuffers: 2 });
    await expect(refused).rejects.toMatchObject({ code: 'Conflict' });
    await using same = await first.buffers();
    expect(inodes(same)).toEqual(inodes(ours));
    expect(same.state).toBe('held');
  });

  it('is for the first party', async () => {
    const [first, second] = await both();
    await second.constrain([holding(1)]);
    await (await first.buffers()).release();
    await expect(second.renew(IMAGE)).rejects.toMatchObject({ code: 'AccessDenied' });
  });
});

describe('what goes wrong', () => {
  it('names the needs that clash, with their parties', async () => {
    const [first, second] = await both();
    await first.constrain([holding(2, { pitchMax: 2560 })]);
    await second.constrain([holding(1, { pitchMin: 2561 })]);
    for (const party of [first, second])
      await expect(party.buffers()).rejects.toMatchObject({
        code: 'Conflict',
        conflict: expect.arrayContaining([
          expect.objectContaining({
            party: 0,
            constraint: 'pitch-max',
            value: 2560,
            device: 'cpu',
            alternative: 0,
          }),
          expect.objectContaining({ party: 1, constraint: 'pitch-min', value: 2561, entry: 0 }),
        ]) as unknown,
      });
  });

  it('takes a party with it whose connection is gone before there are buffers', async () => {
    const [first] = await both();
    const waiting = first.buffers();
    await consumer.close();
    await expect(waiting).rejects.toMatchObject({ code: 'Abandoned' });
    await expect(first.constrain([holding(1)])).rejects.toMatchObject({ code: 'Abandoned' });
  });

  it('takes nothing from others once there are buffers', async () => {
    const [first, second] = await both();
    await second.constrain([holding(1)]);
    await using ours = await first.buffers();
    const theirs = await second.buffers();
    await consumer.close();
    expect([second.state, theirs.state]).toEqual(['over', 'lost']);
    await theirs.buffers[0]?.map({ write: true }, (bytes) => bytes.fill(1));
    await theirs.release();
    await using again = await first.buffers();
    expect(inodes(again)).toEqual(inodes(ours));
    expect(await first.renew(IMAGE)).toBe(2);
  });

  it('takes nothing from others when a program is killed, and what it held is free', async () => {
    const first = await producer.negotiate(IMAGE);
    const [token, late] = [await first.invite(), await first.invite({ part: 'late' })];
    await first.constrain([holding(2)]);
    const child = spawn(process.execPath, ['--input-type=module', '--eval', HOLDER], {
      cwd: ROOT,
      env: { ...process.env, DMABROKER_TOKEN: token, DMABROKER_BUS: bus.address },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await using ours = await first.buffers();
    expect(ours.buffers).toHaveLength(3);
    child.kill('SIGKILL');
    await once(child, 'close');
    await expect
      .poll(async () => (await first.explain()).parties?.filter(({ state }) => state === 'ready'))
      .toHaveLength(1);
    const successor = await consumer.join(late);
    // There is no room for it beside the one that was killed.
    await successor.constrain([holding(1)]);
    await using theirs = await successor.buffers();
    expect(inodes(theirs)).toEqual(inodes(ours));
  });

  it('ends the parties with the daemon, and leaves their buffers', async () => {
    const party = await producer.negotiate(IMAGE);
    await party.constrain([holding(1)]);
    await using ours = await party.buffers();
    await daemon.stop();
    daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
    // A change before it may tell that there are buffers.
    while (party.state !== 'over') await once(party, 'changed');
    expect(ours.state).toBe('lost');
    await ours.buffers[0]?.map({ write: true }, (bytes) => bytes.fill(1));
    await expect(party.buffers()).rejects.toMatchObject({ code: 'Unavailable' });
    await party.leave();
  });

  it('is told to the calls after leave as well', async () => {
    const party = await producer.negotiate(IMAGE);
    await party.leave();
    await expect(party.invite()).rejects.toMatchObject({ code: 'Unavailable' });
  });

  const wrong = (value: unknown): never => value as never;
  it.each<[string, (party: Party) => Promise<unknown>]>([
    ['no buffer', () => producer.negotiate(wrong(undefined))],
    ['an unknown key of the buffer', () => producer.negotiate(wrong({ ...IMAGE, total: 3 }))],
    ['a width of text', () => producer.negotiate(wrong({ ...IMAGE, width: '640' }))],
    ['formats that are no list', () => producer.negotiate(wrong({ ...IMAGE, formats: 'XR24' }))],
    ['a deadline that is none', () => producer.negotiate(IMAGE, { deadline: -1 })],
    ['a deadline of a minute', () => producer.negotiate(IMAGE, { deadline: 60_000 })],
    ['an unknown option', () => producer.negotiate(IMAGE, wrong({ max: 1 }))],
    ['a token that is no text', () => producer.join(wrong(7))],
    ['an unknown part', (party) => party.invite(wrong({ part: 'shall' }))],
    ['the key of another function', (party) => party.invite(wrong({ oneOf: true }))],
    ['no token at all', (party) => party.inviteOneOf(0)],
    ['half a token', (party) => party.inviteOneOf(0.5)],
    ['a token to withdraw that is no text', (party) => party.withdraw(wrong({}))],
    ['no alternative', (party) => party.constrain([])],
    ['devices in the place of alternatives', (party) => party.constrain(wrong(holding(1)))],
    ['a device without a name', (party) => party.constrain([wrong([{ uses: ['read'] }])])],
    ['an unknown need', (party) => party.constrain([[]], wrong({ count: 3 }))],
    ['a spare of text', (party) => party.constrain([[]], wrong({ spare: 'two' }))],
    ['nothing to renew', (party) => party.renew(wrong(null))],
  ])('is InvalidRequest for %s', async (_what, ask) => {
    const party = await producer.negotiate(IMAGE);
    await expect(ask(party)).rejects.toMatchObject({ name: 'DmabrokerError', code: 'InvalidRequest' });
  });
});
