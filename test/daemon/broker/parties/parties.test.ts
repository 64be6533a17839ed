import { afterEach, describe, expect, it, vi } from 'vitest';

import { buffersOpen, PAGE } from '../../fake-heap.js';
import { entry, ROOMY } from '../rig.js';
import { holding, IMAGE, NOTHING, partiesRig, type Guest, type PartiesRig } from './rig.js';

/** Everybody goes, and nothing is left. */
function finish({ rig }: PartiesRig, ...guests: readonly Guest[]): void {
  for (const guest of guests) guest.vanish();
  rig.timers.pass(2000);
  expect(rig.broker.totals()).toMatchObject({ liveBytes: 0n, liveBuffers: 0 });
  expect(rig.broker.parties.views()).toEqual([]);
}

afterEach(async () => {
  await vi.waitFor(() => {
    expect(buffersOpen()).toEqual([]);
  });
});

const code = (error: unknown): unknown => (error as { code?: unknown }).code ?? (error as Error).name;
const refusal = (call: () => unknown): unknown => {
  try {
    call();
  } catch (error) {
    return code(error);
  }
  return undefined;
};
const rejection = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => code(error),
  );

describe('a collection', () => {
  it('gives all parties the same buffers, as many as all hold and the largest spare', async () => {
    const its = partiesRig();
    const { first, join } = its;
    const [one, two] = first.invite('must', { count: 2 });
    const [camera, viewer] = [join(one), join(two)];
    first.constrain(NOTHING);
    camera.constrain(holding(3, { spare: 2 }));
    expect([first.state, camera.state, viewer.state]).toEqual(['waiting', 'waiting', 'asked']);
    viewer.constrain(holding(1, { spare: 1 }));
    const given = await Promise.all([first.buffers(), camera.buffers(), viewer.buffers()]);
    for (const each of given) {
      expect(each.layout).toMatchObject({ count: 6, size: 4n * PAGE, image: { format: 'XR24' } });
      expect(each).toMatchObject({ generation: 1, fds: 6 });
    }
    expect(first.view).toMatchObject({ state: 'ready', generation: 1, held: 6 });
    expect(await viewer.buffers(5)).toMatchObject({ fds: 1 });
    expect(await viewer.buffers(6)).toMatchObject({ fds: 0 });
    finish(its, camera, viewer, first);
  });

  it('does without an optional party where memory has no room for its buffers', async () => {
    // Room for three images of four pages.
    const policy = ['scattered', 'contiguous', 'plain'].map((name) => `[Pool ${name}]\nLimit=48K\n`).join('');
    const its = partiesRig(IMAGE, { policy });
    const { first, join } = its;
    const [small, large] = first.invite('may', { count: 2 });
    const [fits, fitsNot] = [join(small), join(large)];
    first.constrain(holding(2));
    fits.constrain(holding(1));
    fitsNot.constrain(holding(1));
    expect((await first.buffers()).layout.count).toBe(3);
    expect((await fits.buffers()).layout.count).toBe(3);
    expect(await rejection(fitsNot.buffers())).toBe('NotChosen');
    finish(its, fits, fitsNot, first);
  });

  it('does without an optional party that the quota of the first has no room for', async () => {
    const its = partiesRig(IMAGE, { policy: `${ROOMY}[Quota]\nBuffers=3\n` });
    const { first, join } = its;
    const [large, small] = first.invite('may', { count: 2 });
    const [fitsNot, fits] = [join(large), join(small)];
    first.constrain(holding(2));
    fitsNot.constrain(holding(2));
    fits.constrain(holding(1));
    expect((await first.buffers()).layout.count).toBe(3);
    expect(await rejection(fitsNot.buffers())).toBe('NotChosen');
    expect((await fits.buffers()).generation).toBe(1);
    finish(its, fits, fitsNot, first);
  });

  it('says why there are no buffers even without the optional parties', async () => {
    const its = partiesRig(IMAGE, { policy: `${ROOMY}[Quota]\nBuffers=3\n` });
    const { first, join } = its;
    const guest = join(first.invite('may')[0]);
    first.constrain(holding(4));
    guest.constrain(holding(1));
    expect(await rejection(first.buffers())).toBe('QuotaExceeded');
    finish(its, guest, first);
  });

  it('is decided for the first party alone when it invites no other', async () => {
    const its = partiesRig({ ...IMAGE, count: 20, maxBuffers: 64 });
    its.first.constrain(holding(1));
    expect(await its.first.buffers()).toMatchObject({ fds: 16, layout: { count: 20 } });
    expect(await its.first.buffers(16)).toMatchObject({ fds: 4 });
    finish(its, its.first);
  });

  it('takes the first of the formats that all parties take', async () => {
    const its = partiesRig({ ...IMAGE, formats: ['NV12', 'XR24'] });
    const guest = its.join(its.first.invite()[0]);
    its.first.constrain({
      alternatives: [[entry('cpu', { formats: [{ format: 'XR24', modifiers: [] }] })]],
      keep: true,
    });
    guest.constrain(holding(1));
    expect((await guest.buffers()).layout.image?.format).toBe('XR24');
    finish(its, guest, its.first);
  });

  it('tries the alternatives of the last party first', async () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite()[0]);
    const step = (multiple: number): ReturnType<typeof entry>[] => [
      entry('cpu', { limits: { 'pitch-multiple': multiple } }),
    ];
    const exact = [entry('cpu', { limits: { 'pitch-exact': 3 } })];
    // The first alternatives clash; the last party gives way.
    its.first.constrain({ alternatives: [step(512), step(1024)], keep: true });
    guest.constrain({ alternatives: [exact, step(64)], keep: true });
    expect((await guest.buffers()).layout.image?.planes).toEqual([{ offset: 0n, pitch: 512 }]);
    finish(its, guest, its.first);
  });

  it('leaves out a party that may take part and does not fit', async () => {
    const its = partiesRig();
    const [must] = its.first.invite();
    const [may] = its.first.invite('may');
    const [guest, other] = [its.join(must), its.join(may)];
    its.first.constrain(NOTHING);
    guest.constrain(holding(2, { countMax: 2 }));
    other.constrain(holding(1));
    expect(await guest.buffers()).toMatchObject({ layout: { count: 2 } });
    expect(other.state).toBe('aside');
    expect(await rejection(other.buffers())).toBe('NotChosen');
    finish(its, guest, other, its.first);
  });

  it('takes one of several', async () => {
    const its = partiesRig();
    const [a, b] = its.first.invite('must', { count: 2, isOneOf: true });
    const [one, two] = [its.join(a), its.join(b)];
    its.first.constrain(holding(1, { countMax: 3 }));
    one.constrain(holding(5));
    two.constrain(holding(2));
    expect(await two.buffers()).toMatchObject({ layout: { count: 3 } });
    expect([one.state, two.state]).toEqual(['aside', 'ready']);
    finish(its, one, two, its.first);
  });

  it('says which needs clash, and of other users the kind and the party only', async () => {
    const its = partiesRig();
    const [token] = its.first.invite('must', { uid: 1001 });
    const guest = its.join(token, { uid: 1001 });
    its.first.constrain(holding(2, { countMax: 4 }));
    guest.constrain(holding(5));
    const message = async (party: Guest): Promise<string> =>
      party.buffers().then(
        () => '',
        (error: unknown) => (error as Error).message,
      );
    expect(await message(its.first)).toMatch(/party 0: count-max 4/);
    expect(await message(its.first)).toMatch(/party 1: min-buffers(?! 5)/);
    expect(await message(guest)).toMatch(/party 1: min-buffers 5/);
    expect(await message(guest)).toMatch(/party 0: count-max(?! 4)/);
    expect([its.first.state, guest.state]).toEqual(['over', 'over']);
    finish(its, guest, its.first);
  });

  it('tells a quota to its own user only', async () => {
    const its = partiesRig({ ...IMAGE, count: 4 }, { policy: `${ROOMY}[Quota]\nBuffers=3\n` });
    const guest = its.join(its.first.invite('must', { uid: 1001 })[0], { uid: 1001 });
    its.first.constrain(NOTHING);
    guest.constrain(holding(1));
    const told = async (party: Guest): Promise<object> =>
      party.buffers().then(
        () => ({}),
        (error: unknown) => error as object,
      );
    expect(await told(its.first)).toMatchObject({
      code: 'QuotaExceeded',
      message: expect.stringContaining('user 1000') as string,
    });
    expect(await told(guest)).toMatchObject({
      code: 'QuotaExceeded',
      message: expect.not.stringContaining('1000') as string,
    });
    finish(its, guest, its.first);
  });

  it('asks no party that is late, and gives it what there is', async () => {
    const its = partiesRig({ ...IMAGE, count: 4 });
    const [token, another] = its.first.invite('late', { count: 2 });
    its.first.constrain(holding(2));
    await its.first.buffers();
    const late = its.join(token);
    expect(late.state).toBe('asked');
    late.constrain(holding(2));
    expect(await late.buffers()).toMatchObject({ fds: 4, generation: 1 });
    const tooMany = its.join(another);
    tooMany.constrain(holding(1));
    expect(await rejection(tooMany.buffers())).toBe('NotChosen');
    // What a party held is free as soon as it is gone.
    late.leave();
    tooMany.constrain(holding(1));
    finish(its, late, tooMany, its.first);
  });
});

describe('a party that is gone', () => {
  it.each(['must', 'may'] as const)('(%s) before there are buffers', async (part) => {
    const its = partiesRig();
    const guest = its.join(its.first.invite(part)[0]);
    its.first.constrain(holding(1));
    guest.vanish();
    if (part === 'may') expect(await its.first.buffers()).toMatchObject({ layout: { count: 1 } });
    else expect(await rejection(its.first.buffers())).toBe('Abandoned');
    finish(its, its.first);
  });

  it('takes down what depends on it, up to the next token that may', async () => {
    const its = partiesRig();
    const portal = its.join(its.first.invite('may', { invites: 2 })[0]);
    const [a, b] = portal.invite('must', { count: 2 });
    const [encoder, viewer] = [its.join(a), its.join(b)];
    its.first.constrain(holding(1));
    portal.constrain(NOTHING);
    viewer.constrain(holding(1));
    encoder.vanish();
    expect([portal.state, viewer.state]).toEqual(['over', 'over']);
    expect(await rejection(viewer.buffers())).toBe('Abandoned');
    expect(await its.first.buffers()).toMatchObject({ layout: { count: 1 } });
    finish(its, portal, viewer, its.first);
  });

  it('harms no other once there are buffers', async () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite()[0]);
    its.first.constrain(holding(1));
    guest.constrain(holding(1));
    await guest.buffers();
    guest.vanish();
    expect(its.first.state).toBe('ready');
    expect(await its.first.buffers()).toMatchObject({ fds: 2 });
    finish(its, its.first);
  });

  it('drops its needs when it leaves', async () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite()[0]);
    its.first.constrain(holding(1));
    guest.leave();
    expect(await its.first.buffers()).toMatchObject({ layout: { count: 1 } });
    finish(its, its.first);
  });

  it('ends all when it was the first', async () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite()[0]);
    const waiting = rejection(guest.buffers());
    its.first.vanish();
    expect(await waiting).toBe('Abandoned');
    expect(guest.state).toBe('over');
    finish(its, guest);
  });
});

it('gives the buffers back when no party is left', async () => {
  const its = partiesRig();
  its.first.constrain(holding(2));
  await its.first.buffers();
  its.first.leave();
  its.rig.timers.pass(2000);
  expect(its.rig.broker.totals()).toMatchObject({ liveBuffers: 0 });
  finish(its, its.first);
});

it('lets a long session invite again and again', () => {
  const its = partiesRig();
  for (let times = 0; times < 100; times += 1) {
    const guest = its.join(its.first.invite('late')[0]);
    guest.leave();
  }
  expect(its.first.invite('late', { count: 31 })).toHaveLength(31);
  expect(refusal(() => its.first.invite('late'))).toBe('QuotaExceeded');
  finish(its, its.first);
});

it('decides about a late party by what the others were given, not by what they ask for next', async () => {
  const its = partiesRig({ ...IMAGE, count: 4 });
  const [token] = its.first.invite('late');
  its.first.constrain(holding(2));
  await its.first.buffers();
  its.first.constrain(holding(4));
  const late = its.join(token);
  late.constrain(holding(2));
  expect(await late.buffers()).toMatchObject({ fds: 4 });
  finish(its, late, its.first);
});

it('ends with the connection of the first party, also when that has left before', async () => {
  const its = partiesRig();
  const guest = its.join(its.first.invite()[0]);
  its.first.constrain(NOTHING);
  guest.constrain(holding(1, { keep: false }));
  await guest.buffers();
  its.first.renew();
  its.first.leave();
  expect(guest.state).toBe('ready');
  its.first.vanish();
  expect(guest.state).toBe('over');
  expect(
    refusal(() => {
      guest.constrain(holding(1));
    }),
  ).toBe('Abandoned');
  finish(its, guest);
});

it('gives a late party nothing from a pool that policy closes to it', async () => {
  const policy = '[Pool scattered]\nLimit=64M\nAccess=group:video\n';
  const member = { groups: ['video'] };
  const its = partiesRig({ ...IMAGE, count: 2 }, { policy, owner: member });
  const [token, another] = its.first.invite('late', { count: 2 });
  its.first.constrain({ alternatives: [[entry('/dev/dri/card0', { uses: ['render'] })]], keep: true });
  await its.first.buffers();
  const [closed, open] = [its.join(token), its.join(another, member)];
  for (const late of [closed, open]) late.constrain(NOTHING);
  expect(await rejection(closed.buffers())).toBe('AccessDenied');
  expect(await open.buffers()).toMatchObject({ fds: 2 });
  finish(its, closed, open, its.first);
});

describe('the deadline', () => {
  it('fails those that depend on a silent party', async () => {
    const its = partiesRig();
    its.first.invite();
    its.first.constrain(holding(1));
    const waiting = rejection(its.first.buffers());
    its.rig.timers.pass(5000);
    expect(await waiting).toBe('TimedOut');
    finish(its, its.first);
  });

  it('leaves out a silent party that may take part', async () => {
    const its = partiesRig();
    const [token] = its.first.invite('may');
    its.first.constrain(holding(1));
    const waiting = its.first.buffers();
    its.rig.timers.pass(5000);
    expect(await waiting).toMatchObject({ layout: { count: 1 } });
    expect(refusal(() => its.join(token))).toBe('UnknownToken');
    finish(its, its.first);
  });
});

describe('renewing', () => {
  it('makes new buffers for the same parties, and counts the old ones until they are closed', async () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite()[0]);
    its.first.constrain(NOTHING);
    guest.constrain(holding(2));
    await guest.buffers();
    its.first.renew({ ...IMAGE, content: { width: 128, height: 64 } });
    expect(await guest.buffers()).toMatchObject({
      generation: 2,
      layout: { image: { width: 128 }, count: 2 },
    });
    its.rig.timers.pass(2000);
    expect(its.first.view).toMatchObject({ generation: 2, held: 2 });
    finish(its, guest, its.first);
  });

  it('asks again those that wanted it', async () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite()[0]);
    its.first.constrain(NOTHING);
    guest.constrain(holding(1, { keep: false }));
    await guest.buffers();
    its.first.renew();
    expect([its.first.state, guest.state]).toEqual(['waiting', 'asked']);
    guest.constrain(holding(3));
    expect(await guest.buffers()).toMatchObject({ generation: 2, layout: { count: 3 } });
    finish(its, guest, its.first);
  });

  it('keeps the old buffers when it fails, and says so once', async () => {
    const its = partiesRig();
    its.first.constrain(holding(1, { countMax: 1 }));
    await its.first.buffers();
    its.first.renew({ ...IMAGE, count: 2 });
    expect(await rejection(its.first.buffers())).toBe('Conflict');
    expect(await its.first.buffers()).toMatchObject({ generation: 1, fds: 1 });
    finish(its, its.first);
  });

  it('fails when one that must is silent, and leaves all what they have', async () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite()[0]);
    its.first.constrain(NOTHING);
    guest.constrain(holding(1, { keep: false }));
    await guest.buffers();
    its.first.renew();
    const waiting = rejection(its.first.buffers());
    its.rig.timers.pass(5000);
    expect(await waiting).toBe('TimedOut');
    expect(await guest.buffers()).toMatchObject({ generation: 1, fds: 1 });
    finish(its, guest, its.first);
  });

  it('asks again one that was silent before and may take part', async () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite('may')[0]);
    its.first.constrain(holding(1));
    guest.constrain(holding(1, { keep: false }));
    await guest.buffers();
    its.first.renew();
    its.rig.timers.pass(5000);
    expect(await its.first.buffers()).toMatchObject({ generation: 2, layout: { count: 1 } });
    expect(guest.state).toBe('aside');
    its.first.renew();
    expect(guest.state).toBe('asked');
    guest.constrain(holding(2));
    expect(await guest.buffers()).toMatchObject({ generation: 3, layout: { count: 3 } });
    finish(its, guest, its.first);
  });

  it('is for the first party, and not while one is under way', () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite()[0]);
    expect(
      refusal(() => {
        guest.renew();
      }),
    ).toBe('AccessDenied');
    expect(
      refusal(() => {
        its.first.renew();
      }),
    ).toBe('InvalidRequest');
    finish(its, guest, its.first);
  });
});

describe('a token', () => {
  it('works once, for its user, until it is withdrawn', () => {
    const its = partiesRig();
    const [mine, others, withdrawn] = its.first.invite('may', { count: 3 });
    expect(mine).toMatch(/^[0-9a-f]{32}$/);
    const guest = its.join(mine);
    expect(refusal(() => its.join(mine))).toBe('UnknownToken');
    expect(refusal(() => its.join(others, { uid: 1001 }))).toBe('UnknownToken');
    its.rig.broker.parties.withdraw(its.first.owner, its.first.id, withdrawn ?? '');
    expect(refusal(() => its.join(withdrawn))).toBe('UnknownToken');
    expect(refusal(() => its.join('no token'))).toBe('UnknownToken');
    finish(its, guest, its.first);
  });

  it('cannot be guessed: after ten wrong ones, the rest of a minute is over for the connection', () => {
    const its = partiesRig();
    const [token] = its.first.invite();
    const join = (word: string | undefined): unknown => refusal(() => its.join(word, { name: ':1.99' }));
    for (let i = 0; i < 10; i += 1) expect(join(`wrong ${i}`)).toBe('UnknownToken');
    expect(join(token)).toBe('LimitsExceeded');
    its.rig.timers.pass(1000);
    expect(refusal(() => its.join('wrong', { name: ':1.98' }))).toBe('UnknownToken');
    finish(its, its.first);
  });

  it('allows no more than it was made with', () => {
    const its = partiesRig();
    const guest = its.join(its.first.invite('must', { invites: 2 })[0]);
    expect(refusal(() => guest.invite('must', { invites: 2 }))).toBe('AccessDenied');
    expect(guest.invite('must', { invites: 1 })).toHaveLength(1);
    expect(refusal(() => guest.invite())).toBe('AccessDenied');
    finish(its, guest, its.first);
  });
});

it('lets no call wait when the service ends', async () => {
  const its = partiesRig();
  const waiting = rejection(its.first.buffers());
  its.rig.broker.parties.shutDown();
  expect(await waiting).toBe('Unavailable');
  finish(its, its.first);
});

it('refuses a device that is not there, and changes nothing', async () => {
  const its = partiesRig();
  expect(
    refusal(() => {
      its.first.constrain({ alternatives: [[entry('/dev/none')]], keep: true });
    }),
  ).toBe('UnknownDevice');
  expect(its.first.state).toBe('asked');
  its.first.constrain(NOTHING);
  expect(await rejection(its.first.buffers())).toBe('InvalidRequest');
  finish(its, its.first);
});
